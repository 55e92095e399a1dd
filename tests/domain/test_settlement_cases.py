"""What is written down after an attempt, case by case (the laws: ``test_settlement``)."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from galaxy_mail.domain.backoff import BackoffPolicy
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.leases import Claim
from galaxy_mail.domain.settlement import RetryPolicy, Settlement, decide
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, SmtpReply, Stage, Verdict
from tests.domain.claims import (
    ACCEPT,
    ACCEPTED,
    CROWDED,
    DEFER,
    FULL,
    OPEN,
    OUTAGE,
    REFUSE,
    REFUSED,
    THROTTLED,
    attempt,
    claim,
    written,
)

NOW = timedelta(0)
EXACT = RetryPolicy(
    backoff=BackoffPolicy(jitter=0), outage_backoff=BackoffPolicy(jitter=0, cap=timedelta(minutes=5))
)
EXPIRED = classify(Stage.BODY, Fault.EXPIRED)
UNRENDERABLE = classify(Stage.LOCAL, Fault.UNRENDERABLE)
SILENT = classify(Stage.DOT, Fault.TIMEOUT)
TOO_LARGE = classify(Stage.MAIL, SmtpReply(552, "5.3.4 too big"))


def settle(held: Claim, *verdicts: Verdict, policy: RetryPolicy = EXACT) -> Settlement:
    """Decide at once, without jitter."""
    return decide(held, attempt(*verdicts), NOW, policy, 0.5)


def test_the_defaults_are_those_promised() -> None:
    """Twelve burned attempts, five days, five abandoned claims; an outage is tried every five minutes, a full box later."""
    policy = RetryPolicy()
    assert (policy.max_attempts, policy.max_age, policy.abandoned_limit) == (12, timedelta(days=5), 5)
    assert policy.backoff == BackoffPolicy(timedelta(seconds=5), 2.0, timedelta(hours=1), 0.25)
    assert policy.outage_backoff == BackoffPolicy(cap=timedelta(minutes=5))
    assert policy.long_delay == timedelta(minutes=30)


def test_one_recipient_accepted_is_sent() -> None:
    """The ordinary case: sent, burned, nobody told."""
    settlement = settle(claim(OPEN, None), ACCEPT)
    assert settlement.status is DeliveryStatus.SENT
    assert settlement.attempt
    assert settlement.attempt.burned
    assert not settlement.tell_admin


@pytest.mark.parametrize(
    "verdict, reason",
    [
        (REFUSE, DeadLetterReason.REFUSED),
        (TOO_LARGE, DeadLetterReason.REFUSED),
        (UNRENDERABLE, DeadLetterReason.UNRENDERABLE),
        (EXPIRED, DeadLetterReason.EXPIRED),
    ],
)
def test_what_cannot_be_sent_is_a_dead_letter_at_once(verdict: Verdict, reason: DeadLetterReason) -> None:
    """A permanent verdict, or an expiry that the gate noticed, ends it at the first attempt and says why."""
    settlement = settle(claim(OPEN, OPEN), verdict, verdict)
    assert (settlement.status, settlement.reason) == (DeliveryStatus.DEAD_LETTERED, reason)


def test_the_rest_of_a_partly_refused_mail_can_still_expire() -> None:
    """Some refused at RCPT, then the validity ended before the body: expired is the last word."""
    assert settle(claim(OPEN, OPEN), REFUSE, EXPIRED).reason is DeadLetterReason.EXPIRED


@pytest.mark.parametrize(
    "verdict, attempts, deferrals, seconds",
    [
        (DEFER, 0, 0, 5),
        (DEFER, 3, 0, 40),
        (DEFER, 3, 7, 40),  # deferrals do not lengthen what a burned attempt waits
        (FULL, 0, 0, 1800),
        (attrs.evolve(FULL, burns_attempt=False), 0, 0, 1800),  # as an override may say
        (OUTAGE, 3, 0, 5),
        (OUTAGE, 3, 2, 20),
        (OUTAGE, 0, 500, 300),  # an outage is looked at every five minutes at the latest
        (THROTTLED, 0, 9, 2560),
        (THROTTLED, 0, 500, 3600),
        (classify(Stage.BODY, Fault.CLAIM_LOST), 0, 0, 5),
    ],
)
def test_the_wait_depends_on_who_is_to_blame(
    verdict: Verdict, attempts: int, deferrals: int, seconds: int
) -> None:
    """Burned attempts wait by their number, others by how many in a row burned nothing; an outage has the low cap."""
    held = attrs.evolve(claim(OPEN), attempts=attempts, deferrals=deferrals)
    assert settle(held, verdict).retry_in == timedelta(seconds=seconds)


def test_a_full_mailbox_never_waits_less_than_usual() -> None:
    """Once the usual wait is longer than the long one, it is the usual."""
    assert settle(attrs.evolve(claim(OPEN), attempts=10), FULL).retry_in == timedelta(hours=1)


def test_partial_acceptance_goes_on_with_the_rest() -> None:
    """Accepted and refused are marked, the third waits; two attempts later it is sent and the refusal told."""
    first = settle(claim(OPEN, OPEN, OPEN), ACCEPT, REFUSE, DEFER)
    assert (first.status, first.retry_in) == (DeliveryStatus.RETRYING, timedelta(seconds=5))
    held = written(claim(OPEN, OPEN, OPEN), first)
    assert held.recipient_states == (ACCEPTED, REFUSED, OPEN)
    assert [str(r.address) for r in held.open_recipients()] == ["p2@example.org"]
    last = settle(held, ACCEPT)
    assert (last.status, last.reason, last.tell_admin) == (DeliveryStatus.SENT, None, True)


def test_at_the_limit_the_open_are_refused_and_the_accepted_stay() -> None:
    """Exhausted with one accepted is sent, and the administrator hears of the other."""
    held = attrs.evolve(claim(ACCEPTED, OPEN, status=DeliveryStatus.RETRYING), attempts=11)
    settlement = settle(held, DEFER)
    assert (settlement.status, settlement.tell_admin) == (DeliveryStatus.SENT, True)
    assert [(mark.position, mark.state, mark.verdict) for mark in settlement.marks] == [(1, REFUSED, DEFER)]


def test_the_twelfth_burned_attempt_is_the_last() -> None:
    """Eleven burned attempts leave one; the twelfth exhausts."""
    assert settle(attrs.evolve(claim(OPEN), attempts=10), DEFER).status is DeliveryStatus.RETRYING
    assert settle(attrs.evolve(claim(OPEN), attempts=11), DEFER).reason is DeadLetterReason.EXHAUSTED


def test_a_lowered_maximum_does_not_let_an_outage_exhaust() -> None:
    """A mail with more burned attempts than are now allowed still survives an outage."""
    held = attrs.evolve(claim(OPEN), attempts=20)
    assert settle(held, OUTAGE).status is DeliveryStatus.RETRYING
    assert settle(held, DEFER).reason is DeadLetterReason.EXHAUSTED


def test_a_crowd_is_sent_in_as_many_transactions_as_it_takes() -> None:
    """A server that takes 10 of 1,000 recipients at a time gets 100 transactions without a wait, and nobody is given up."""
    held = claim(*[OPEN] * 1000)
    for _ in range(99):
        waiting = len(held.open_positions)
        settlement = settle(held, *[ACCEPT] * 10, *[CROWDED] * (waiting - 10))
        assert settlement.retry_in == NOW
        held = written(held, settlement)
    assert settle(held, *[ACCEPT] * 10).status is DeliveryStatus.SENT


def test_a_transaction_that_leaves_recipients_unasked_goes_on_with_them() -> None:
    """Where a transaction names only the first few, the others follow at once, whether those accepted or refused."""
    for verdict in (ACCEPT, REFUSE):
        settlement = settle(claim(OPEN, OPEN, OPEN), verdict, verdict)
        assert (settlement.status, settlement.retry_in) == (DeliveryStatus.RETRYING, NOW)
        assert len(settlement.marks) == 2


def test_a_crowd_without_progress_waits() -> None:
    """A server that finds the first recipient too many is not asked again at once."""
    assert settle(claim(OPEN, OPEN), CROWDED, CROWDED).retry_in == timedelta(seconds=5)
    assert settle(claim(OPEN, OPEN, OPEN), ACCEPT, CROWDED, DEFER).retry_in == timedelta(seconds=5)


def test_uncertain_is_the_last_word_on_a_mail_that_is_to_be_held() -> None:
    """Whatever else would have ended it: a person must know that it may have arrived."""
    held = attrs.evolve(claim(OPEN), hold_uncertain=True, attempts=11, expires_in=timedelta(seconds=1))
    settlement = settle(held, SILENT)
    assert (settlement.status, settlement.reason) == (
        DeliveryStatus.DEAD_LETTERED,
        DeadLetterReason.UNCERTAIN,
    )
    assert [(mark.state, mark.verdict) for mark in settlement.marks] == [(REFUSED, SILENT)]
    assert settlement.attempt
    assert settlement.attempt.burned


def test_of_a_mail_that_is_to_be_held_nobody_is_tried_again() -> None:
    """Neither who may have it, nor who was put off or not yet asked; who accepted before makes it sent."""
    three = attrs.evolve(claim(OPEN, OPEN, OPEN), hold_uncertain=True)
    settlement = settle(three, SILENT, DEFER)
    assert settlement.reason is DeadLetterReason.UNCERTAIN
    assert [mark.verdict for mark in settlement.marks] == [SILENT, DEFER, None]
    last = settle(attrs.evolve(claim(ACCEPTED, OPEN), hold_uncertain=True), SILENT)
    assert (last.status, last.reason, last.tell_admin) == (DeliveryStatus.SENT, None, True)


def test_a_mail_that_is_to_be_held_goes_on_while_it_is_certain() -> None:
    """Deferred, in an outage, partly accepted: it is tried again like any other."""
    held = attrs.evolve(claim(OPEN, OPEN), hold_uncertain=True)
    for verdicts in ((DEFER, DEFER), (OUTAGE, OUTAGE), (ACCEPT, DEFER), (CROWDED, CROWDED)):
        assert settle(held, *verdicts).status is DeliveryStatus.RETRYING


def test_surplus_verdicts_are_ignored() -> None:
    """More verdicts than open recipients are a sender's bug, and no reason to go on without end."""
    assert settle(claim(OPEN), DEFER, ACCEPT).status is DeliveryStatus.RETRYING
    assert settle(claim(OPEN), ACCEPT, ACCEPT).status is DeliveryStatus.SENT


def test_an_attempt_burns_if_it_does_for_anyone() -> None:
    """One burning verdict makes a burned attempt; none makes an unburned one."""
    assert attempt(OUTAGE, DEFER).burned
    assert not attempt(OUTAGE, CROWDED).burned


@pytest.mark.parametrize(
    "ttl, reason", [(6, None), (5, DeadLetterReason.EXPIRED), (4, DeadLetterReason.EXPIRED)]
)
def test_a_login_code_is_given_up_when_the_next_attempt_would_be_too_late(
    ttl: int, reason: DeadLetterReason | None
) -> None:
    """Five seconds from now is too late for a code that is valid for five."""
    held = attrs.evolve(claim(OPEN), expires_in=timedelta(seconds=ttl))
    assert settle(held, OUTAGE).reason is reason


def test_an_outage_of_five_days_ages_out() -> None:
    """Nothing burned, and still it ends: P2 before P7."""
    held = attrs.evolve(claim(OPEN), age=timedelta(days=5) - timedelta(seconds=5), deferrals=0)
    assert settle(held, OUTAGE).reason is DeadLetterReason.AGED_OUT
