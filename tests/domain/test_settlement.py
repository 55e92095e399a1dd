"""What is written down after an attempt: laws that hold for any claim, any verdicts and any policy."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import attrs
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.leases import Claim
from galaxy_mail.domain.settlement import Attempt, RetryPolicy, Settlement, decide, give_up, overdue
from galaxy_mail.domain.verdicts import Pace
from tests.domain.claims import (
    ACCEPTED,
    OPEN,
    REFUSED,
    attempts_on,
    claims,
    dice,
    policies,
    spans,
    states_after,
    written,
)

NOW = timedelta(0)


class Decided(NamedTuple):
    """All that went into a settlement, and the settlement."""

    claim: Claim
    attempt: Attempt
    elapsed: timedelta
    policy: RetryPolicy
    settlement: Settlement

    @property
    def after(self) -> tuple[RecipientState | None, ...]:
        """How the recipients stand once it is written."""
        return states_after(self.claim, self.settlement)


@st.composite
def decisions(draw: st.DrawFn) -> Decided:
    """Any claim, an attempt on it with any verdicts, any policy, and what was decided."""
    held = draw(claims())
    made = draw(attempts_on(held))
    elapsed, policy = draw(spans), draw(policies)
    return Decided(held, made, elapsed, policy, decide(held, made, elapsed, policy, draw(dice)))


# --- laws ------------------------------------------------------------------------------------------------------------


@given(decisions())
def test_every_attempt_has_a_settlement(made: Decided) -> None:
    """``decide`` is total; it settles this claim, keeps the attempt, and never leaves it pending."""
    assert made.settlement.held == made.claim.held
    assert made.settlement.attempt is made.attempt
    assert made.settlement.status is not DeliveryStatus.PENDING


@given(decisions())
def test_a_retry_is_planned_unless_it_is_over(made: Decided) -> None:
    """``retry_in`` is set exactly where the status is not terminal, and is never negative."""
    assert (made.settlement.retry_in is None) == made.settlement.status.terminal
    assert made.settlement.retry_in is None or made.settlement.retry_in >= timedelta(0)


@given(decisions())
def test_a_dead_letter_has_its_reason(made: Decided) -> None:
    """A reason is set exactly where it is dead-lettered; a live worker never calls its own mail poison."""
    assert (made.settlement.reason is not None) == (made.settlement.status is DeliveryStatus.DEAD_LETTERED)
    assert made.settlement.reason is not DeadLetterReason.POISON


@given(decisions())
def test_sent_means_accepted_by_someone_and_open_for_nobody(made: Decided) -> None:
    """Sent exactly if no recipient is open and at least one accepted; dead if none is open and none accepted."""
    expected = (
        DeliveryStatus.RETRYING
        if OPEN in made.after
        else DeliveryStatus.SENT
        if ACCEPTED in made.after
        else DeliveryStatus.DEAD_LETTERED
    )
    assert made.settlement.status is expected


@given(decisions())
def test_who_was_decided_stays_decided(made: Decided) -> None:
    """Marks touch open recipients alone: who accepted is never asked again, who refused stays refused."""
    assert {mark.position for mark in made.settlement.marks} <= set(made.claim.open_positions)
    for before, after in zip(made.claim.recipient_states, made.after, strict=True):
        assert before is OPEN or after is before


@given(decisions())
def test_each_recipient_is_marked_by_its_own_verdict(made: Decided) -> None:
    """The n-th verdict marks the n-th open recipient; an acceptance is never lost, and nothing else makes one."""
    marks = {mark.position: mark for mark in made.settlement.marks}
    for position, verdict in zip(made.claim.open_positions, made.attempt.receipt.verdicts, strict=False):
        assert marks[position].verdict == verdict
        assert (marks[position].state is ACCEPTED) == verdict.accepted
        assert marks[position].state is not OPEN or not verdict.final
    asked = made.claim.open_positions[: len(made.attempt.receipt.verdicts)]
    assert all(mark.verdict is None for mark in made.settlement.marks if mark.position not in asked)


@given(decisions())
def test_no_retry_is_planned_past_expiry_or_age(made: Decided) -> None:
    """The next attempt begins before the validity ends and before the mail is too old (P9)."""
    if (retry_in := made.settlement.retry_in) is not None:
        then = made.elapsed + retry_in
        assert made.claim.age + then < made.policy.max_age
        assert made.claim.expires_in is None or then < made.claim.expires_in
        assert overdue(made.claim, then, made.policy) is None


@given(decisions())
def test_the_maximum_of_burned_attempts_is_a_maximum(made: Decided) -> None:
    """After the last burned attempt nothing is open, but for a transaction that got further and goes on at once."""
    burned = made.claim.attempts + made.attempt.burned
    if made.attempt.burned and burned >= made.policy.max_attempts and made.settlement.retry_in != NOW:
        assert made.settlement.status.terminal


@given(decisions())
def test_what_burned_nothing_exhausts_nothing(made: Decided) -> None:
    """An outage ends a mail by age or expiry only, however many attempts it has behind it (P7)."""
    if not made.attempt.burned:
        assert made.settlement.reason is not DeadLetterReason.EXHAUSTED


@given(decisions())
def test_a_mail_that_is_to_be_held_is_not_tried_after_an_ambiguous_attempt(made: Decided) -> None:
    """It is over then, and a person hears of it; otherwise, and without that wish, uncertainty alone ends nothing."""
    ambiguous = any(verdict.ambiguous for verdict in made.attempt.receipt.verdicts)
    if made.claim.hold_uncertain and ambiguous:
        assert made.settlement.status.terminal
        assert made.settlement.tell_admin
        assert made.settlement.reason in (DeadLetterReason.UNCERTAIN, None)
    else:
        assert made.settlement.reason is not DeadLetterReason.UNCERTAIN


@given(decisions())
def test_to_hold_changes_nothing_but_that(made: Decided) -> None:
    """Where no attempt is ambiguous, a mail that is to be held is settled like any other."""
    other = attrs.evolve(made.claim, hold_uncertain=not made.claim.hold_uncertain)
    if not any(verdict.ambiguous for verdict in made.attempt.receipt.verdicts):
        one, two = (
            decide(each, made.attempt, made.elapsed, made.policy, 0.5) for each in (made.claim, other)
        )
        assert one == two


@given(decisions())
def test_at_once_needs_progress(made: Decided) -> None:
    """Only an attempt that decided some recipient may go on without a wait, and only if the rest merely found it full."""
    if made.settlement.retry_in == NOW:
        waiting = [verdict for verdict in made.attempt.receipt.verdicts if not verdict.final]
        assert len(waiting) < len(made.attempt.receipt.verdicts)
        assert {verdict.pace for verdict in waiting} <= {Pace.AT_ONCE}


@given(decisions())
def test_an_administrator_hears_of_whoever_gets_no_mail(made: Decided) -> None:
    """Told exactly where it is over and some recipient is refused, or nobody accepted."""
    over = made.settlement.status.terminal
    assert made.settlement.tell_admin == (over and (REFUSED in made.after or ACCEPTED not in made.after))


@given(claims(), st.sampled_from(DeadLetterReason))
def test_giving_up_closes_without_an_attempt(held: Claim, reason: DeadLetterReason) -> None:
    """Open recipients are refused unasked; who accepted before makes it sent, else the reason stands."""
    settlement = give_up(held, reason)
    assert settlement.attempt is None
    assert settlement.retry_in is None
    assert OPEN not in states_after(held, settlement)
    assert all(mark == attrs.evolve(mark, state=REFUSED, verdict=None) for mark in settlement.marks)
    assert settlement.tell_admin
    if ACCEPTED in held.recipient_states:
        assert (settlement.status, settlement.reason) == (DeliveryStatus.SENT, None)
    else:
        assert (settlement.status, settlement.reason) == (DeliveryStatus.DEAD_LETTERED, reason)


@given(claims(), spans, policies)
def test_overdue_is_expiry_or_age(held: Claim, elapsed: timedelta, policy: RetryPolicy) -> None:
    """Overdue from the very instant on at which validity or age end; expiry is named first."""
    expired = held.expires_in is not None and elapsed >= held.expires_in
    too_old = held.age + elapsed >= policy.max_age
    expected = DeadLetterReason.EXPIRED if expired else DeadLetterReason.AGED_OUT if too_old else None
    assert overdue(held, elapsed, policy) is expected


@given(st.data(), claims(), policies)
def test_every_life_ends(data: st.DataObject, held: Claim, policy: RetryPolicy) -> None:
    """Whatever the server answers, a delivery ends, with as many accepted as said so; nobody accepts twice."""
    held = attrs.evolve(held, attempts=0, deferrals=0, age=NOW, expires_in=None)
    accepted = held.recipient_states.count(ACCEPTED)
    failed = 0
    for _ in range(2000):
        made = data.draw(attempts_on(held))
        settlement = decide(held, made, NOW, policy, 0.5)
        accepted += sum(verdict.accepted for verdict in made.receipt.verdicts)
        failed += made.burned and settlement.retry_in != NOW
        held = written(held, settlement)
        assert held.recipient_states.count(ACCEPTED) == accepted
        if settlement.status.terminal:
            break
    assert held.status.terminal
    assert failed <= policy.max_attempts
