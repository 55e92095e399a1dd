"""Claims, attempts and policies, for tests of what is decided about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import attrs
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import Mailbox, Recipient, RecipientKind
from galaxy_mail.domain.backoff import BackoffPolicy
from galaxy_mail.domain.delivery import DeliveryStatus, RecipientState
from galaxy_mail.domain.leases import Claim, Held, Unreadable
from galaxy_mail.domain.mail import Mail
from galaxy_mail.domain.settlement import Attempt, RetryPolicy, Settlement
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Receipt, SmtpReply, Stage, Verdict
from tests.domain.said import CASES, faults, signals

HELD = Held(UUID(int=1), UUID(int=2))
OPEN, ACCEPTED, REFUSED = RecipientState

ACCEPT = classify(Stage.DOT, SmtpReply(250, "2.0.0 Ok"))
REFUSE = classify(Stage.RCPT, SmtpReply(550, "5.1.1 no such user"))
DEFER = classify(Stage.RCPT, SmtpReply(450, "4.2.0 greylisted"))
FULL = classify(Stage.RCPT, SmtpReply(552, "5.2.2 mailbox full"))
CROWDED = classify(Stage.RCPT, SmtpReply(452, "4.5.3 too many recipients"))
OUTAGE = classify(Stage.MAIL, SmtpReply(421, "4.3.2 shutting down"))
THROTTLED = classify(Stage.DOT, SmtpReply(454, "Throttling failure"))


def recipient(position: int, kind: RecipientKind = RecipientKind.TO) -> Recipient:
    """The n-th of many people."""
    return Recipient(kind, Mailbox.parse(f"p{position}@example.org"))


def claim(*states: RecipientState | None, status: DeliveryStatus = DeliveryStatus.PENDING) -> Claim:
    """A first claim with recipients in these states; None stands for a reply_to."""
    kinds = [RecipientKind.TO if state else RecipientKind.REPLY_TO for state in states]
    return Claim(
        held=HELD,
        number=1,
        status=status,
        mail=Mail(
            "id@example.org",
            "welcome",
            Mailbox.parse("no-reply@example.org"),
            tuple(recipient(i, kind) for i, kind in enumerate(kinds)),
        ),
        recipient_states=states,
        dated=datetime(2026, 1, 1, tzinfo=UTC),
        age=timedelta(0),
        expires_in=None,
    )


def attempt(*verdicts: Verdict) -> Attempt:
    """An attempt that ended so, recipient by recipient."""
    return Attempt(Receipt(verdicts), timedelta(milliseconds=30))


def states_after(claim: Claim, settlement: Settlement) -> tuple[RecipientState | None, ...]:
    """The recipients' states with the settlement's marks over them."""
    marks = {mark.position: mark.state for mark in settlement.marks}
    return tuple(marks.get(position, state) for position, state in enumerate(claim.recipient_states))


def written(held: Claim, settlement: Settlement) -> Claim:
    """The next claim of the delivery, as a store counts (see ``Queue.settle``) and as time passes."""
    assert settlement.attempt
    burned = settlement.attempt.burned
    return attrs.evolve(
        held,
        status=settlement.status,
        recipient_states=states_after(held, settlement),
        attempts=held.attempts + burned,
        deferrals=0 if burned else held.deferrals + 1,
        age=held.age + (settlement.retry_in or timedelta(0)),
    )


spans = st.one_of(st.timedeltas(timedelta(0), timedelta(days=6)), st.just(timedelta(0)))
dice = st.floats(0, 1, exclude_max=True)
verdicts = st.one_of(
    st.builds(classify, st.sampled_from(Stage), signals),
    st.sampled_from(CASES).map(lambda case: classify(case.stage, case.reply)),
    st.builds(classify, st.sampled_from(Stage), faults),
    st.sampled_from([ACCEPT, REFUSE, DEFER, FULL, CROWDED, OUTAGE, THROTTLED]),
)
policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 13),
    max_age=st.timedeltas(timedelta(minutes=1), timedelta(days=5)),
    backoff=st.sampled_from([BackoffPolicy(), BackoffPolicy(jitter=0.0), BackoffPolicy(factor=1.0)]),
    long_delay=st.sampled_from([timedelta(0), timedelta(minutes=30), timedelta(hours=4)]),
)


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    """A claim as a store may give it out: some recipient is open, and the status is not terminal."""
    states = draw(st.lists(st.sampled_from([OPEN, OPEN, ACCEPTED, REFUSED, None]), max_size=5))
    states.insert(draw(st.integers(0, len(states))), OPEN)
    made = attrs.evolve(
        claim(*states, status=draw(st.sampled_from([DeliveryStatus.PENDING, DeliveryStatus.RETRYING]))),
        age=draw(spans),
        expires_in=draw(st.one_of(st.none(), spans, st.timedeltas(timedelta(days=-1), timedelta(0)))),
        attempts=draw(st.integers(0, 14)),
        deferrals=draw(st.integers(0, 2000)),
        abandoned=draw(st.integers(0, 5)),
        hold_uncertain=draw(st.booleans()),
    )
    return attrs.evolve(made, mail=Unreadable("not JSON")) if draw(st.integers(0, 9)) == 0 else made


@st.composite
def attempts_on(draw: st.DrawFn, claim: Claim) -> Attempt:
    """An attempt on the first few open recipients of a claim, with any verdicts whatever."""
    addressed = draw(st.integers(1, len(claim.open_positions)))
    uniform = st.builds(lambda verdict: (verdict,) * addressed, verdicts)
    mixed = st.lists(verdicts, min_size=addressed, max_size=addressed).map(tuple)
    return Attempt(Receipt(draw(st.one_of(uniform, mixed))), draw(spans), "v1")
