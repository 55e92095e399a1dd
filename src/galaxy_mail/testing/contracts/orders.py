"""Deliveries to put into a store under test, and what can become of them: the vocabulary of the store contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from galaxy_mail.adapters.entropy.system import SystemEntropy
from galaxy_mail.domain.addresses import Mailbox, Recipient, RecipientKind
from galaxy_mail.domain.backoff import BackoffPolicy
from galaxy_mail.domain.leases import Claim, ClaimRequest
from galaxy_mail.domain.mail import Lane, Mail, NewDelivery
from galaxy_mail.domain.ports import Queue
from galaxy_mail.domain.settlement import Attempt, RetryPolicy, Settlement, decide
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, Receipt, Signal, SmtpReply, Stage
from galaxy_mail.testing.contracts.harness import StoreHarness

MIDDLING = 0.5  # dice that leave a delay as it is
LEASE = timedelta(minutes=20)
RETRY = timedelta(minutes=10)
POLICY = RetryPolicy(backoff=BackoffPolicy(base=RETRY), outage_backoff=BackoffPolicy(base=RETRY))

# What a server says or does not say.
ACCEPTED = (Stage.DOT, SmtpReply(250, "2.0.0 queued as Q1", "2.0.0"))
BUSY = (Stage.RCPT, SmtpReply(450, "4.2.0 mailbox busy", "4.2.0"))
NO_SUCH_USER = (Stage.RCPT, SmtpReply(550, "5.1.1 no such user", "5.1.1"))
OUTAGE = (Stage.CONNECT, Fault.UNREACHABLE)
SILENCE = (Stage.DOT, Fault.TIMEOUT)  # ambiguous
UNRENDERABLE = (Stage.LOCAL, Fault.UNRENDERABLE)

TO, CC, BCC, REPLY_TO = RecipientKind

_entropy = SystemEntropy()


def new_delivery(
    *,
    people: Sequence[tuple[RecipientKind, str]] = ((TO, "Ada <ada@example.org>"),),
    template: str = "welcome",
    context: Mapping[str, object] | None = None,
    secrets: Mapping[str, object] | None = None,
    lane: Lane = Lane.NORMAL,
    ttl: timedelta | None = None,
    send_at: datetime | None = None,
    hold_uncertain: bool = False,
    key: str | None = None,
) -> NewDelivery:
    """A valid order under a new id. Its digests are those of ``context`` and of ``secrets``, so equal means equal."""
    delivery_id = _entropy.delivery_id()
    context = {"name": "Ada"} if context is None else context
    mail = Mail(
        message_id=f"{delivery_id}@mail.example.org",
        template=template,
        sender=Mailbox.parse('"Galaxy, Mail" <no-reply@example.org>'),
        recipients=tuple(Recipient(kind, Mailbox.parse(text)) for kind, text in people),
        context=context,
        secrets=secrets,
    )
    return NewDelivery(
        delivery_id,
        mail,
        lane=lane,
        ttl=ttl,
        send_at=send_at,
        hold_uncertain=hold_uncertain,
        idempotency_key=key,
        content_digest=_digest((template, people, context)),
        secret_digest=None if secrets is None else _digest(secrets),
    )


def _digest(content: object) -> bytes:
    return sha256(repr(content).encode()).digest()


async def claim(
    queue: Queue,
    limit: int = 100,
    *,
    worker: str = "worker",
    lease: timedelta = LEASE,
    abandoned_limit: int = 100,
    suspects_together: int = 1,
) -> tuple[Claim, ...]:
    """Claim what is due."""
    return await queue.claim(ClaimRequest(worker, limit, lease, abandoned_limit, suspects_together))


async def claim_one(queue: Queue, *, worker: str = "worker", lease: timedelta = LEASE) -> Claim:
    """Claim the one delivery that is due."""
    (claimed,) = await claim(queue, worker=worker, lease=lease)
    return claimed


async def settle(queue: Queue, claimed: Claim, *spoken: tuple[Stage, Signal]) -> None:
    """Settle a claim that is held, by what was ``spoken`` (see ``settlement``)."""
    assert await queue.settle([settlement(claimed, *spoken)]) == frozenset(), "the claim was lost"


def settlement(claimed: Claim, *spoken: tuple[Stage, Signal]) -> Settlement:
    """How a claim is settled after one word for each open recipient, or one word for all of them."""
    words = spoken if len(spoken) > 1 else spoken * len(claimed.open_positions)
    receipt = Receipt(tuple(classify(stage, signal) for stage, signal in words), remote_id="Q1")
    attempt = Attempt(receipt, duration=timedelta(seconds=2), template_version="v7")
    return decide(claimed, attempt, timedelta(0), POLICY, MIDDLING)


async def after(harness: StoreHarness, order: NewDelivery, *words: Sequence[tuple[Stage, Signal]]) -> UUID:
    """Enqueue an order and settle it as often as there are ``words``."""
    await harness.store.enqueue(order)
    for said in words:
        await settle(harness.store, await claim_one(harness.store), *said)
        await harness.age(RETRY)
    return order.delivery_id
