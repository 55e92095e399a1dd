"""What an operator reads: a delivery as it stands, its recipients, and every attempt. Never its context or secrets."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import attrs

from galaxy_mail.domain.addresses import RecipientKind
from galaxy_mail.domain.delivery import AttemptOutcome, DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.mail import Lane

MAX_LISTED = 1000


@attrs.frozen
class DeliverySummary:
    """One line of a list. ``next_attempt_at`` is the end of the lease while the delivery is ``leased``."""

    delivery_id: UUID
    status: DeliveryStatus
    template: str
    lane: Lane
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None  # None once terminal
    expires_at: datetime | None
    finished_at: datetime | None  # when it became terminal
    reason: DeadLetterReason | None
    leased: bool
    claimed_by: str | None


@attrs.frozen
class RecipientRecord:
    """One recipient and the last word about it."""

    kind: RecipientKind
    address: str
    name: str
    state: RecipientState | None
    code: int | None
    detail: str


@attrs.frozen
class AttemptRecord:
    """One row of the attempts: written once, never changed. ``number`` is that of its claim."""

    number: int
    started_at: datetime
    duration: timedelta
    outcome: AttemptOutcome
    stage: str
    blame: str
    burned: bool
    ambiguous: bool
    code: int | None
    enhanced: str | None
    fault: str | None  # what happened instead of a reply
    detail: str
    remote_id: str | None
    worker: str
    template_version: str


@attrs.frozen
class ResendRecord:
    """An operator's resend: by whom, when, and after which attempt."""

    at: datetime
    by: str
    after_attempt: int


@attrs.frozen
class DeliveryRecord:
    """All that is known of one delivery."""

    summary: DeliverySummary
    message_id: str
    recipients: tuple[RecipientRecord, ...]
    attempts: tuple[AttemptRecord, ...]
    resends: tuple[ResendRecord, ...] = ()
    hold_uncertain: bool = False  # an ambiguous attempt is the last, until a person has decided


@attrs.frozen
class DeliveryQuery:
    """Which deliveries to list: newest first, at most ``limit`` (1 to 1,000)."""

    status: DeliveryStatus | None = None
    template: str | None = None
    recipient: str | None = None  # an address, exactly
    limit: int = 50
