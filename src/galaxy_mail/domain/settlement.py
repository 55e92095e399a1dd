"""What to write down after an attempt: the whole retry policy as one pure function.

``decide`` turns a claim and a receipt into a ``Settlement``: the new status, when to try again, why it was given up, how
each recipient stands, and the attempt as it will be recorded. It asks no clock and throws no dice; both are arguments.
"""

from __future__ import annotations

from datetime import timedelta

import attrs

from galaxy_mail.domain.backoff import OUTAGE_BACKOFF, BackoffPolicy
from galaxy_mail.domain.delivery import (
    AttemptOutcome,
    DeadLetterReason,
    DeliveryEvent,
    DeliveryStatus,
    RecipientState,
    transition,
)
from galaxy_mail.domain.leases import Claim, Held
from galaxy_mail.domain.verdicts import Blame, Fault, Pace, Receipt, Verdict


@attrs.frozen
class RetryPolicy:
    """The limits on trying again.

    ``max_attempts`` counts burned attempts; one that got further and goes on at once is never the last. An attempt for
    which the transport or our configuration is to blame burns nothing and waits by ``outage_backoff``, whose low cap lets
    mail move soon after the relay is back.
    """

    max_attempts: int = 12
    max_age: timedelta = timedelta(days=5)
    abandoned_limit: int = 5
    backoff: BackoffPolicy = attrs.field(factory=BackoffPolicy)
    outage_backoff: BackoffPolicy = OUTAGE_BACKOFF
    long_delay: timedelta = timedelta(minutes=30)


@attrs.frozen
class RecipientMark:
    """How a recipient stands after the attempt. ``position`` is its index in ``mail.recipients``."""

    position: int
    state: RecipientState
    verdict: Verdict | None = None  # None where no server was asked


@attrs.frozen
class Attempt:
    """One closed attempt, as it is recorded. ``template_version`` is empty where nothing was rendered."""

    receipt: Receipt
    duration: timedelta
    template_version: str = ""

    @property
    def burned(self) -> bool:
        """Whether it counts against the mail: it does if it does for any recipient."""
        return any(verdict.burns_attempt for verdict in self.receipt.verdicts)


@attrs.frozen
class Settlement:
    """One line for the store to write, if ``held`` is still the latest claim."""

    held: Held
    status: DeliveryStatus
    attempt: Attempt | None  # None if no attempt was made: overdue at the claim, or put off
    retry_in: timedelta | None = None  # set if and only if the status is not terminal
    reason: DeadLetterReason | None = None  # set if and only if dead-lettered
    marks: tuple[RecipientMark, ...] = ()
    tell_admin: bool = False
    ended_ago: timedelta = timedelta(0)  # how long this settlement has waited for the store


def overdue(claim: Claim, elapsed: timedelta, policy: RetryPolicy) -> DeadLetterReason | None:
    """Why this claim must not be attempted at all, ``elapsed`` after it was asked for; ``None`` if it may."""
    if claim.expires_in is not None and claim.expires_in <= elapsed:
        return DeadLetterReason.EXPIRED
    if claim.age + elapsed >= policy.max_age:
        return DeadLetterReason.AGED_OUT
    return None


def give_up(claim: Claim, reason: DeadLetterReason) -> Settlement:
    """Close, without an attempt, a delivery that is overdue: sent if anyone has accepted it before, else a dead letter."""
    return _close(claim, _refuse_open(claim, ()), reason, None)


def put_off(claim: Claim, delay: timedelta) -> Settlement:
    """Let it wait, as if it had not been claimed: during an outage, for one. It is due again when it expires, to be closed."""
    if claim.expires_in is not None:
        delay = min(delay, max(claim.expires_in, timedelta(0)))
    return Settlement(claim.held, claim.status, None, retry_in=delay)


def decide(
    claim: Claim, attempt: Attempt, elapsed: timedelta, policy: RetryPolicy, dice: float
) -> Settlement:
    """The settlement of an attempt on the first ``len(receipt.verdicts)`` open recipients, ``elapsed`` after the claim.

    Total: every receipt has a settlement. Never plans a retry past expiry or ``max_age``, nor after an ambiguous attempt on a
    mail that is to be held then: nobody can tell its copies apart, so none of its recipients is tried again unasked.
    """
    marks = tuple(map(_mark, claim.open_positions, attempt.receipt.verdicts))
    if len(claim.open_positions) == sum(mark.state is not RecipientState.OPEN for mark in marks):
        return _close(claim, marks, _reason(attempt), attempt)
    if claim.hold_uncertain and any(mark.verdict and mark.verdict.ambiguous for mark in marks):
        return _close(claim, _refuse_open(claim, marks), DeadLetterReason.UNCERTAIN, attempt)
    burned = claim.attempts + attempt.burned
    at_once = _goes_on(marks)
    delay = timedelta(0) if at_once else _delay(claim, attempt, burned, policy, dice)
    exhausted = attempt.burned and not at_once and burned >= policy.max_attempts
    if limit := _limit(claim, attempt, elapsed + delay, exhausted, policy):
        return _close(claim, _refuse_open(claim, marks), limit, attempt)
    status = transition(claim.status, DeliveryEvent.DEFERRED)
    return Settlement(claim.held, status, attempt, retry_in=delay, marks=marks)


def _mark(position: int, verdict: Verdict) -> RecipientMark:
    states = {
        AttemptOutcome.SUCCESS: RecipientState.ACCEPTED,
        AttemptOutcome.PERMANENT_ERROR: RecipientState.REFUSED,
        AttemptOutcome.TRANSIENT_ERROR: RecipientState.OPEN,
    }
    return RecipientMark(position, states[verdict.outcome], verdict)


def _refuse_open(claim: Claim, marks: tuple[RecipientMark, ...]) -> tuple[RecipientMark, ...]:
    given = {mark.position: mark for mark in marks}
    everyone = (given.get(p, RecipientMark(p, RecipientState.OPEN)) for p in claim.open_positions)
    return tuple(
        attrs.evolve(mark, state=RecipientState.REFUSED) if mark.state is RecipientState.OPEN else mark
        for mark in everyone
    )


def _reason(attempt: Attempt) -> DeadLetterReason:
    unrenderable = any(verdict.fault is Fault.UNRENDERABLE for verdict in attempt.receipt.verdicts)
    return DeadLetterReason.UNRENDERABLE if unrenderable else DeadLetterReason.REFUSED


def _goes_on(marks: tuple[RecipientMark, ...]) -> bool:
    """Whether the transaction got further, and who is left only waits for the next one: a success in parts, no failure."""
    waiting = [mark.verdict for mark in marks if mark.state is RecipientState.OPEN]
    return len(waiting) < len(marks) and all(verdict and verdict.pace is Pace.AT_ONCE for verdict in waiting)


def _delay(claim: Claim, attempt: Attempt, burned: int, policy: RetryPolicy, dice: float) -> timedelta:
    if attempt.burned:
        usual = policy.backoff.delay(burned, dice)
    else:
        outage = attempt.receipt.verdict.blame in (Blame.TRANSPORT, Blame.CONFIGURATION)
        usual = (policy.outage_backoff if outage else policy.backoff).delay(claim.deferrals + 1, dice)
    long = any(verdict.pace is Pace.LONG for verdict in attempt.receipt.verdicts)
    return max(usual, policy.long_delay) if long else usual


def _limit(
    claim: Claim, attempt: Attempt, next_attempt: timedelta, exhausted: bool, policy: RetryPolicy
) -> DeadLetterReason | None:
    if attempt.receipt.verdict.fault is Fault.EXPIRED:
        return DeadLetterReason.EXPIRED
    return DeadLetterReason.EXHAUSTED if exhausted else overdue(claim, next_attempt, policy)


def _close(
    claim: Claim, marks: tuple[RecipientMark, ...], reason: DeadLetterReason, attempt: Attempt | None
) -> Settlement:
    states = list(claim.recipient_states)
    for mark in marks:
        states[mark.position] = mark.state
    sent = RecipientState.ACCEPTED in states
    event = DeliveryEvent.COMPLETED if sent else DeliveryEvent.GIVEN_UP
    return Settlement(
        claim.held,
        transition(claim.status, event),
        attempt,
        reason=None if sent else reason,
        marks=marks,
        tell_admin=not sent or RecipientState.REFUSED in states,
    )
