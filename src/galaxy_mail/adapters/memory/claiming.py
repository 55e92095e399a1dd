"""What ``claim`` and ``settle`` do to rows: the statements of the Postgres store, in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryEvent, RecipientState, transition
from galaxy_mail.domain.leases import Claim, ClaimRequest, ClaimToken
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.records import AttemptRecord
from galaxy_mail.domain.settlement import Attempt, Settlement
from galaxy_mail.domain.verdict_table import ABANDONED_VERDICT
from galaxy_mail.domain.verdicts import Receipt

UNCLOSED = Attempt(Receipt((ABANDONED_VERDICT,)), duration=timedelta(0))


def take_due(
    rows: Iterable[Row], request: ClaimRequest, now: datetime, mint: Callable[[], ClaimToken]
) -> tuple[Claim, ...]:
    """Claim what was abandoned, else what is due, lane by lane; bury what has been abandoned too often."""
    waiting = sorted(
        (row for row in rows if _wanted(row, request, now)), key=lambda r: (r.next_attempt_at, r.delivery_id)
    )
    suspects = []
    for row in [row for row in waiting if row.losses][: min(request.limit, request.suspects_together)]:
        if row.token is not None and (row.losses >= request.abandoned_limit or row.hold_uncertain):
            _bury(row, now)
        else:
            suspects.append(row)
    chosen = _tried(suspects) or _lane_by_lane([row for row in waiting if not row.losses], request)
    return tuple(_issue(row, request, now, mint()) for row in chosen)


def _wanted(row: Row, request: ClaimRequest, now: datetime) -> bool:
    return row.due(now) and (request.overdue_after is None or row.overdue(now, request.overdue_after))


def _tried(suspects: list[Row]) -> list[Row]:
    # Suspects go without others, and who was abandoned twice goes alone: if it kills again, nobody else is blamed.
    if suspects and suspects[0].losses == 1:
        return [row for row in suspects if row.losses == 1]
    return suspects[:1]


def _lane_by_lane(waiting: list[Row], request: ClaimRequest) -> list[Row]:
    """As many as asked for, the urgent first, with some places kept for each lane behind that has something due."""
    urgent, normal, bulk = ([row for row in waiting if row.lane is lane] for lane in Lane)
    for_normal, for_bulk = (min(request.kept_behind, len(lane)) for lane in (normal, bulk))
    taken = urgent[: request.limit - for_normal - for_bulk]
    taken += normal[: request.limit - len(taken) - for_bulk]
    return taken + bulk[: request.limit - len(taken)]


def _issue(row: Row, request: ClaimRequest, now: datetime, token: ClaimToken) -> Claim:
    if row.token is not None:
        _abandon(row, now)
    return row.take(token, request, now)


def _bury(row: Row, now: datetime) -> None:
    _abandon(row, now)
    sent = any(each.state is RecipientState.ACCEPTED for each in row.recipients)
    for each in row.recipients:
        if each.state is RecipientState.OPEN:
            each.mark(RecipientState.REFUSED, None)
    event = DeliveryEvent.COMPLETED if sent else DeliveryEvent.GIVEN_UP
    reason = DeadLetterReason.UNCERTAIN if row.hold_uncertain else DeadLetterReason.POISON
    row.finish(transition(row.status, event), None if sent else reason, now, tell=True)


def _abandon(row: Row, now: datetime) -> None:
    """Close the attempt that nobody closed. What the silent worker wrote may still be delivered: so it is ambiguous."""
    assert row.claimed_at is not None, "who holds a token has claimed"
    row.status = transition(row.status, DeliveryEvent.ABANDONED)
    row.abandoned += 1
    row.log.append(_recorded(row, UNCLOSED, row.claimed_at, now - row.claimed_at))


def write(row: Row, settlement: Settlement, now: datetime) -> None:
    """Write a settlement down, whole."""
    for mark in settlement.marks:
        row.recipients[mark.position].mark(mark.state, mark.verdict)
    if settlement.attempt is not None:
        row.attempts += settlement.attempt.burned
        duration = settlement.attempt.duration
        began = now - settlement.ended_ago - duration
        row.log.append(_recorded(row, settlement.attempt, began, duration))
    if settlement.retry_in is None:
        row.finish(settlement.status, settlement.reason, now, tell=settlement.tell_admin)
    else:
        _defer(row, settlement, now, settlement.retry_in)


def _defer(row: Row, settlement: Settlement, now: datetime, delay: timedelta) -> None:
    if settlement.attempt is not None:
        row.deferrals = 0 if settlement.attempt.burned else row.deferrals + 1
    row.status = settlement.status
    row.notify_after = now if settlement.tell_admin else None
    row.put_back(now + delay)


def _recorded(row: Row, attempt: Attempt, started_at: datetime, duration: timedelta) -> AttemptRecord:
    verdict = attempt.receipt.verdict
    return AttemptRecord(
        number=row.claims,
        started_at=started_at,
        duration=duration,
        outcome=verdict.outcome,
        stage=verdict.stage,
        blame=verdict.blame,
        burned=attempt.burned,
        ambiguous=verdict.ambiguous,
        code=verdict.code,
        enhanced=verdict.enhanced,
        fault=verdict.fault,
        detail=verdict.detail,
        remote_id=attempt.receipt.remote_id,
        worker=row.claimed_by or "",
        template_version=attempt.template_version,
    )
