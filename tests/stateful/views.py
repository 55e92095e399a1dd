"""What two stores must show alike: everything but tokens and instants."""

from __future__ import annotations

from datetime import timedelta

import attrs

from galaxy_mail.domain.leases import Claim
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.records import AttemptRecord, DeliveryRecord, DeliverySummary
from galaxy_mail.domain.verdicts import Stage

GRAIN = timedelta(minutes=10)


def claim_view(claim: Claim) -> object:
    """A claim; durations to the nearest step of time."""
    rest = attrs.asdict(
        claim, recurse=False, filter=attrs.filters.exclude("held", "dated", "age", "expires_in")
    )
    expires_in = None if claim.expires_in is None else round(claim.expires_in / GRAIN)
    return claim.held.delivery_id, rest, round(claim.age / GRAIN), expires_in


def notice_view(notice: Notice) -> tuple[object, ...]:
    """A notice; when the delivery was made and ended is the store's own matter."""
    return attrs.astuple(notice, recurse=False, filter=attrs.filters.exclude("created_at", "ended_at"))


def record_view(record: DeliveryRecord | None) -> object:
    """All that is known of a delivery."""
    assert record is not None, "what was enqueued is found"
    return (
        _summary(record.summary),
        record.message_id,
        record.recipients,
        list(map(_attempt, record.attempts)),
        [(resend.by, resend.after_attempt) for resend in record.resends],
    )


def _summary(summary: DeliverySummary) -> object:
    instants = ("created_at", "next_attempt_at", "expires_at", "finished_at")
    rest = attrs.asdict(summary, recurse=False, filter=attrs.filters.exclude(*instants))
    return rest, [getattr(summary, name) is None for name in instants]


def _attempt(attempt: AttemptRecord) -> object:
    # How long a worker was silent is measured by each store's own clock.
    exact = attempt.stage != Stage.ABANDONED
    rest = attrs.asdict(attempt, recurse=False, filter=attrs.filters.exclude("started_at", "duration"))
    return rest, attempt.duration if exact else None
