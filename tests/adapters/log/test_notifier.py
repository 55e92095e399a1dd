from __future__ import annotations

import json
import logging

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galaxy_mail.adapters.log.notifier import LoggingAdminNotifier
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.ports import AdminNotifier
from galaxy_mail.testing.contracts.admin_notifier import AdminNotifierContract, notices


class TestLoggingAdminNotifier(AdminNotifierContract):
    @pytest.fixture
    def notifier(self) -> AdminNotifier:
        """One that writes to the log."""
        return LoggingAdminNotifier()


async def told(caplog: pytest.LogCaptureFixture, notice: Notice) -> logging.LogRecord:
    """The one record that the notice leaves."""
    caplog.clear()
    await LoggingAdminNotifier().notify(notice)
    (record,) = caplog.records
    return record


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notice=notices(), hostile=st.text())
async def test_nothing_in_a_notice_breaks_the_line(
    caplog: pytest.LogCaptureFixture, notice: Notice, hostile: str
) -> None:
    """Line breaks, escape sequences and direction marks come out as plain ASCII on one line."""
    hostile_notice = attrs.evolve(notice, template=hostile, detail=hostile, refused=(hostile,))
    line = (await told(caplog, hostile_notice)).getMessage()
    assert line.isascii()
    assert line.isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notice=notices())
async def test_the_line_carries_every_field_of_the_notice(
    caplog: pytest.LogCaptureFixture, notice: Notice
) -> None:
    """What a machine reads at the end of the line, and in the record, is the notice."""
    record = await told(caplog, notice)
    line = record.getMessage()
    read = json.loads(line[line.index("{") :])
    assert read == record.__dict__["notice"]
    assert read == {
        "delivery_id": str(notice.delivery_id),
        "status": notice.status.value,
        "reason": notice.reason and notice.reason.value,
        "template": notice.template,
        "attempts": notice.attempts,
        "created_at": notice.created_at.isoformat(),
        "ended_at": notice.ended_at.isoformat(),
        "refused": list(notice.refused),
        "detail": notice.detail,
    }
    assert set(read) == {field.name for field in attrs.fields(Notice)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notice=notices())
async def test_a_dead_letter_is_an_error_and_a_partial_refusal_a_warning(
    caplog: pytest.LogCaptureFixture, notice: Notice
) -> None:
    """The level says how bad it is."""
    record = await told(caplog, notice)
    assert record.levelno == (logging.ERROR if notice.reason else logging.WARNING)
    assert record.getMessage().startswith("mail dead-lettered {" if notice.reason else "mail sent, ")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=1)
@given(notice=notices())
async def test_it_writes_to_the_logger_it_is_given(caplog: pytest.LogCaptureFixture, notice: Notice) -> None:
    """A host decides where the line goes."""
    await LoggingAdminNotifier(logging.getLogger("host")).notify(notice)
    assert [record.name for record in caplog.records] == ["host"]
