"""What an operator or an administrator sees of a row: never its context, never its secrets."""

from __future__ import annotations

from galaxy_mail.adapters.memory.rows import RecipientRow, Row
from galaxy_mail.domain.delivery import RecipientState
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.records import DeliveryQuery, DeliveryRecord, DeliverySummary, RecipientRecord


def summary(row: Row) -> DeliverySummary:
    """One line of a list."""
    return DeliverySummary(
        delivery_id=row.delivery_id,
        status=row.status,
        template=row.template,
        lane=row.lane,
        attempts=row.attempts,
        created_at=row.created_at,
        next_attempt_at=None if row.status.terminal else row.next_attempt_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        reason=row.reason,
        leased=row.token is not None,
        claimed_by=row.claimed_by,
    )


def record(row: Row) -> DeliveryRecord:
    """All that is known of one delivery."""
    return DeliveryRecord(
        summary(row),
        row.message_id,
        recipients=tuple(map(_recipient, row.recipients)),
        attempts=tuple(row.log),
        resends=tuple(row.resends),
        hold_uncertain=row.hold_uncertain,
    )


def _recipient(each: RecipientRow) -> RecipientRecord:
    mailbox = each.recipient.mailbox
    return RecipientRecord(
        kind=each.recipient.kind,
        address=str(mailbox.address),
        name=mailbox.name,
        state=each.state,
        code=each.code,
        detail=each.detail,
    )


def notice(row: Row) -> Notice:
    """What the administrator is told; addresses are masked."""
    assert row.finished_at is not None, "only an end is told"
    return Notice(
        delivery_id=row.delivery_id,
        status=row.status,
        reason=row.reason,
        template=row.template,
        attempts=row.attempts,
        created_at=row.created_at,
        ended_at=row.finished_at,
        refused=tuple(
            each.recipient.address.masked for each in row.recipients if each.state is RecipientState.REFUSED
        ),
        detail=row.log[-1].detail if row.log else "",
    )


def matches(row: Row, query: DeliveryQuery) -> bool:
    """Whether the row is one that the query asks for."""
    return (
        query.status in (None, row.status)
        and query.template in (None, row.template)
        and (
            query.recipient is None
            or any(str(e.recipient.address) == query.recipient for e in row.recipients)
        )
    )
