"""One row of the memory store: what PostgreSQL keeps of a delivery in five tables, in one object.

A row changes only by its methods, and each of them changes it whole, without an ``await``: that is its transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

import attrs

from galaxy_mail.adapters.memory import payload
from galaxy_mail.domain.addresses import Recipient
from galaxy_mail.domain.delivery import (
    DeadLetterReason,
    DeliveryEvent,
    DeliveryStatus,
    RecipientState,
    transition,
)
from galaxy_mail.domain.leases import Claim, ClaimRequest, ClaimToken, Held, Sign, Unreadable
from galaxy_mail.domain.mail import Lane, Mail, NewDelivery
from galaxy_mail.domain.records import AttemptRecord, ResendRecord
from galaxy_mail.domain.verdicts import Verdict


@attrs.define
class RecipientRow:
    """A recipient, how it stands, and the last word of a server about it."""

    recipient: Recipient
    state: RecipientState | None
    code: int | None = None
    detail: str = ""

    @classmethod
    def of(cls, recipient: Recipient) -> Self:
        """Open, or without a state if nothing is delivered to it."""
        return cls(recipient, RecipientState.OPEN if recipient.kind.in_envelope else None)

    def mark(self, state: RecipientState, verdict: Verdict | None) -> None:
        """Note how it stands now; without a verdict the last word stays."""
        self.state = state
        if verdict is not None:
            self.code, self.detail = verdict.code, verdict.detail


@attrs.define(eq=False)
class Row:
    """A delivery. While ``token`` is set, ``next_attempt_at`` is the end of the lease."""

    delivery_id: UUID
    message_id: str
    template: str
    lane: Lane
    stored: payload.Stored
    recipients: list[RecipientRow]
    idempotency_key: str | None
    created_at: datetime
    queued_at: datetime  # its age counts from here
    dated_at: datetime  # the Date header
    next_attempt_at: datetime
    expires_at: datetime | None
    hold_uncertain: bool = False
    status: DeliveryStatus = DeliveryStatus.PENDING
    token: ClaimToken | None = None
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    claimed_sign: Sign | None = None  # the holder's sign of life
    claims: int = 0  # for ever; the other three since enqueue or the last resend
    attempts: int = 0
    deferrals: int = 0
    abandoned: int = 0
    reason: DeadLetterReason | None = None
    finished_at: datetime | None = None
    notify_after: datetime | None = None  # an untold notice, and when to tell it
    notified_at: datetime | None = None
    log: list[AttemptRecord] = attrs.field(factory=list)
    resends: list[ResendRecord] = attrs.field(factory=list)

    @classmethod
    def of(cls, order: NewDelivery, now: datetime) -> Self:
        """The row of a new order, ``now`` being the moment of the call."""
        due = max(now, order.send_at) if order.send_at else now
        return cls(
            delivery_id=order.delivery_id,
            message_id=order.mail.message_id,
            template=order.mail.template,
            lane=order.lane,
            stored=payload.Stored.of(order),
            recipients=[RecipientRow.of(recipient) for recipient in order.mail.recipients],
            idempotency_key=order.idempotency_key,
            created_at=now,
            queued_at=due,
            dated_at=due,
            next_attempt_at=due,
            expires_at=None if order.ttl is None else now + order.ttl,
            hold_uncertain=order.hold_uncertain,
        )

    def due(self, now: datetime) -> bool:
        """Whether a claim may take it: its time has come, or its lease has run out."""
        return not self.status.terminal and self.next_attempt_at <= now

    def overdue(self, now: datetime, max_age: timedelta) -> bool:
        """Whether it has expired or is older than ``max_age``."""
        expired = self.expires_at is not None and self.expires_at <= now
        return expired or self.queued_at <= now - max_age

    @property
    def losses(self) -> int:
        """How often it was abandoned, for a row that is due: a token it still holds is one time more."""
        return self.abandoned + (self.token is not None)

    def mail(self) -> Mail | Unreadable:
        """The mail as it was ordered, if it can still be read."""
        people = tuple(each.recipient for each in self.recipients)
        return self.stored.read(self.message_id, self.template, people)

    def take(self, token: ClaimToken, request: ClaimRequest, now: datetime) -> Claim:
        """Put it under a new token, and say what its holder needs to know."""
        self.token, self.claimed_by, self.claimed_at = token, request.worker, now
        self.hold_until(now + request.lease, request.sign)
        self.claims += 1
        return Claim(
            held=Held(self.delivery_id, token),
            number=self.claims,
            status=self.status,
            mail=self.mail(),
            recipient_states=tuple(each.state for each in self.recipients),
            dated=self.dated_at,
            age=now - self.queued_at,
            expires_in=None if self.expires_at is None else self.expires_at - now,
            lane=self.lane,
            hold_uncertain=self.hold_uncertain,
            attempts=self.attempts,
            deferrals=self.deferrals,
            abandoned=self.abandoned,
        )

    def hold_until(self, end: datetime, sign: Sign | None) -> None:
        """Let the lease end at ``end``, and not before as long as ``sign`` is there."""
        self.next_attempt_at, self.claimed_sign = end, sign

    def end_lease(self, now: datetime) -> None:
        """Its holder is gone: whoever claims next takes it over."""
        self.next_attempt_at = now

    def put_back(self, due: datetime) -> None:
        """End the claim; the next may begin at ``due``."""
        self.token = None
        self.next_attempt_at = due

    def give_back(self) -> None:
        """End the claim as if it had not been; a retry waits behind what was due when it was claimed."""
        assert self.claimed_at is not None, "who holds a token has claimed"
        self.put_back(self.queued_at if self.status is DeliveryStatus.PENDING else self.claimed_at)

    def finish(
        self, status: DeliveryStatus, reason: DeadLetterReason | None, now: datetime, *, tell: bool
    ) -> None:
        """End the claim and the delivery: its secrets go with it."""
        self.put_back(now)
        self.status, self.reason, self.finished_at = status, reason, now
        self.notify_after = now if tell else None
        self.stored.wipe()

    def revive(self, by: str, now: datetime) -> None:
        """An operator's resend: everything starts afresh but the log and the number of claims."""
        self.status = transition(self.status, DeliveryEvent.RESENT)
        self.reason = self.finished_at = self.notify_after = self.notified_at = None
        self.attempts = self.deferrals = self.abandoned = 0
        self.next_attempt_at = self.queued_at = now
        for each in self.recipients:
            if each.state is RecipientState.REFUSED:
                each.state = RecipientState.OPEN
        self.resends.append(ResendRecord(now, by, self.claims))
