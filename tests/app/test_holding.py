"""A worker trusts its claim for no longer than the store does, and begins no body that it may not finish."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.app.holding import Holding, Progress
from galaxy_mail.domain.leases import Claim
from galaxy_mail.domain.verdicts import Fault
from tests.app.conftest import no_sign
from tests.domain.claims import claim as a_claim

LEASE = timedelta(seconds=10)


def holding_of(claim: Claim, asked: float, clock: ManualClock) -> Holding:
    """It, claimed without a sign of life."""
    return Holding(claim, asked, LEASE, clock, no_sign(clock), None)


def claim(expires_in: timedelta | None = None) -> Claim:
    """A claim of whatever delivery."""
    return attrs.evolve(a_claim(), expires_in=expires_in)


SECONDS = st.integers(0, 60_000_000).map(lambda microseconds: timedelta(microseconds=microseconds))


@given(waited=SECONDS, expires_in=st.none() | SECONDS)
def test_the_gate_is_open_only_within_lease_and_validity(
    waited: timedelta, expires_in: timedelta | None
) -> None:
    """A body begins only before the lease ends and before the mail expires; the lost lease is named first."""
    clock = ManualClock()
    holding = holding_of(claim(expires_in), clock.monotonic(), clock)
    clock.advance(waited)
    fault = holding.gate()
    if waited >= LEASE:
        assert fault is Fault.CLAIM_LOST
    elif expires_in is not None and waited >= expires_in:
        assert fault is Fault.EXPIRED
    else:
        assert fault is None
    assert (holding.progress is Progress.BEGUN) is (fault is None)


def test_trust_counts_from_before_the_question() -> None:
    """A store that answers slowly does not stretch the lease."""
    clock = ManualClock()
    asked = clock.monotonic()
    clock.advance(LEASE)
    assert holding_of(claim(), asked, clock).gate() is Fault.CLAIM_LOST


def test_a_renewal_extends_trust_from_when_it_was_asked() -> None:
    """Each renewal gives one lease more, from before its question."""
    clock = ManualClock()
    holding = holding_of(claim(), clock.monotonic(), clock)
    clock.advance(9)
    holding.renewed(clock.monotonic(), LEASE, None)
    clock.advance(9)
    assert holding.gate() is None
    clock.advance(1)
    assert holding.gate() is Fault.CLAIM_LOST


@pytest.mark.parametrize("late", [False, True])
def test_a_withdrawn_claim_begins_no_body(late: bool) -> None:
    """Once withdrawn, the gate is shut for good."""
    clock = ManualClock()
    holding = holding_of(claim(), clock.monotonic(), clock)
    holding.withdraw()
    if late:
        holding.renewed(clock.monotonic(), LEASE, None)
    assert holding.gate() is Fault.CLAIM_LOST
    assert holding.progress is Progress.WITHDRAWN
