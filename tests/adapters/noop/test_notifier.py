from __future__ import annotations

import logging

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galaxy_mail.adapters.noop.notifier import MAX_LINE, NoopAdminNotifier
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.ports import AdminNotifier
from galaxy_mail.testing.contracts.admin_notifier import AdminNotifierContract, notices


class TestNoopAdminNotifier(AdminNotifierContract):
    @pytest.fixture
    def notifier(self) -> AdminNotifier:
        """One that tells nobody."""
        return NoopAdminNotifier()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notice=notices(), template=st.text())
async def test_it_logs_one_printable_line(
    caplog: pytest.LogCaptureFixture, notice: Notice, template: str
) -> None:
    """Whatever a notice holds, it leaves one line of ASCII at INFO that names the delivery."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "galaxy_mail.notices"):
        await NoopAdminNotifier().notify(attrs.evolve(notice, template=template))
    (record,) = caplog.records
    line = record.getMessage()
    assert record.levelno == logging.INFO
    assert str(notice.delivery_id) in line
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < MAX_LINE + 50


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=1)
@given(notice=notices())
async def test_it_writes_to_the_logger_it_is_given(caplog: pytest.LogCaptureFixture, notice: Notice) -> None:
    """A host decides where the line goes."""
    with caplog.at_level(logging.INFO, "host"):
        await NoopAdminNotifier(logging.getLogger("host")).notify(notice)
    assert [record.name for record in caplog.records] == ["host"]
