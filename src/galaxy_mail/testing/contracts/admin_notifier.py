"""The laws of the AdminNotifier port, and strategies for notices."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.notices import AnyNotice, Notice, OutageNotice
from galaxy_mail.domain.outages import RELAY
from galaxy_mail.domain.ports import AdminNotifier
from galaxy_mail.domain.text import escaped
from galaxy_mail.domain.verdicts import MAX_DETAIL_OCTETS, Blame, Fault, Stage

_MASKED = st.builds(
    "{}***@{}".format,
    st.sampled_from("aZ0+é字"),
    st.sampled_from(["example.org", "xn--bcher-kva.example", "a.b.c.d.example.net"]),
)


@st.composite
def notices(draw: st.DrawFn) -> Notice:
    """Any notice that the queue can hand out: a dead letter, or a sent mail with recipients refused."""
    reason = draw(st.none() | st.sampled_from(DeadLetterReason))
    return Notice(
        delivery_id=draw(st.uuids()),
        status=DeliveryStatus.DEAD_LETTERED if reason else DeliveryStatus.SENT,
        reason=reason,
        template=draw(st.sampled_from(["welcome", "login_code", "0-a_b", "t" * 100])),
        attempts=draw(st.integers(0, 10**9)),
        created_at=draw(st.datetimes(timezones=st.just(UTC))),
        ended_at=draw(st.datetimes(timezones=st.just(UTC))),
        refused=draw(_refused(at_least=0 if reason else 1)),
        detail=escaped(draw(st.text()), MAX_DETAIL_OCTETS),
    )


def _refused(at_least: int) -> SearchStrategy[tuple[str, ...]]:
    return st.lists(_MASKED, min_size=at_least, max_size=5).map(tuple)


def outage_notices() -> SearchStrategy[OutageNotice]:
    """Any notice that an outage has begun, or is over."""
    instants = st.datetimes(timezones=st.just(UTC))
    return st.builds(
        OutageNotice,
        outage_id=st.uuids(),
        scope=st.sampled_from([RELAY, "no-reply@example.org"]),
        opened_at=instants,
        closed_at=st.none() | instants,
        blame=st.sampled_from(Blame),
        stage=st.sampled_from(Stage),
        said=st.sampled_from(["421", "535", *(fault.value for fault in Fault)]),
        detail=st.text().map(lambda text: escaped(text, MAX_DETAIL_OCTETS)),
    )


class AdminNotifierContract:
    """What every AdminNotifier does. Override ``notifier``."""

    @pytest.fixture
    def notifier(self) -> AdminNotifier:
        """The notifier under test, with its way to the administrator open."""
        raise NotImplementedError

    @pytest.mark.asyncio
    @given(notice=notices() | outage_notices())
    @settings(
        deadline=None,
        max_examples=25,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    async def test_any_notice_can_be_told(self, notifier: AdminNotifier, notice: AnyNotice) -> None:
        """Every notice, of a delivery or of an outage, is told without an error, also twice at once."""
        twice = asyncio.gather(notifier.notify(notice), notifier.notify(notice), return_exceptions=True)
        assert [error for error in await twice if error] == []
