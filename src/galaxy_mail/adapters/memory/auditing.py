"""What breaks an invariant of ``domain.invariants``: the statement ``audit.sql`` of the Postgres store, in Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.delivery import AttemptOutcome, DeliveryStatus, RecipientState
from galaxy_mail.domain.invariants import (
    LATE_COMMIT,
    LONGEST_LEASE,
    OVERDUE_TAKEOVER,
    Breach,
    Invariant,
)
from galaxy_mail.domain.verdicts import Stage


def breaches(
    rows: Iterable[Row], limit: int, now: datetime, left_alone_since: datetime | None = None
) -> tuple[Breach, ...]:
    """Each invariant that does not hold, with the first ``limit`` rows that break it. A tally is counted here and never wrong.

    The relay may be ``left_alone_since``, or have been until lately: meanwhile nobody claims, and so nobody takes over.
    """
    busy = left_alone_since or now
    broken = [(row.delivery_id, set(_broken(row, now, busy))) for row in rows]
    found = {each: sorted(delivery_id for delivery_id, of in broken if each in of) for each in Invariant}
    return tuple(Breach(each, tuple(ids[:limit])) for each, ids in found.items() if ids)


def _broken(row: Row, now: datetime, busy: datetime) -> Iterator[Invariant]:
    yield from _broken_claim(row, now, busy)
    yield from _broken_end(row)
    yield from _broken_counts(row)
    yield from _broken_people(row)
    if _went_after_expiry(row):
        yield Invariant.NOTHING_WENT_AFTER_EXPIRY


def _broken_claim(row: Row, now: datetime, busy: datetime) -> Iterator[Invariant]:
    if row.token is None:
        return
    if not busy - OVERDUE_TAKEOVER <= row.next_attempt_at <= now + LONGEST_LEASE:
        yield Invariant.LEASES_END
    if row.status.terminal:
        yield Invariant.ENDED_IS_FREE


def _broken_end(row: Row) -> Iterator[Invariant]:
    if row.status.terminal != (row.finished_at is not None):
        yield Invariant.ENDED_IS_DATED
    if (row.status is DeliveryStatus.DEAD_LETTERED) != (row.reason is not None):
        yield Invariant.DEAD_LETTERS_SAY_WHY
    if row.status.terminal and row.stored.secrets is not None:
        yield Invariant.SECRETS_ARE_WIPED
    tried = row.status is DeliveryStatus.PENDING and any(each.number > _since(row) for each in row.log)
    if not row.status.terminal and (row.stored.wiped or row.notified_at is not None or tried):
        yield Invariant.ENDS_ARE_LEFT_BY_RESENDS
    doubtful = any(each.ambiguous and _since(row) < each.number < row.claims for each in row.log)
    if row.hold_uncertain and doubtful:
        yield Invariant.HELD_WAITS_FOR_A_PERSON


def _broken_counts(row: Row) -> Iterator[Invariant]:
    fresh = [attempt for attempt in row.log if attempt.number > _since(row)]
    if row.attempts != sum(attempt.burned for attempt in fresh):
        yield Invariant.ATTEMPTS_ARE_COUNTED
    if row.abandoned != sum(attempt.stage == Stage.ABANDONED for attempt in fresh):
        yield Invariant.LOSSES_ARE_COUNTED
    if row.claims < max([_since(row), *(attempt.number for attempt in row.log)]):
        yield Invariant.ATTEMPTS_HAD_A_CLAIM


def _broken_people(row: Row) -> Iterator[Invariant]:
    states = {each.state for each in row.recipients}
    open_, accepted = RecipientState.OPEN in states, RecipientState.ACCEPTED in states
    if accepted != any(_succeeded(row)) or (row.status is DeliveryStatus.SENT and not accepted):
        yield Invariant.SENT_WAS_ACCEPTED
    if not row.status.terminal and not open_:
        yield Invariant.LIVING_WAITS_FOR_SOMEBODY
    dead = row.status is DeliveryStatus.DEAD_LETTERED
    if row.status.terminal and (open_ or (accepted and dead)):
        yield Invariant.ENDED_WAITS_FOR_NOBODY


def _went_after_expiry(row: Row) -> bool:
    if row.expires_at is None:
        return False
    late = row.claimed_at is not None and row.claimed_at >= row.expires_at
    return any(
        began > row.expires_at + LATE_COMMIT or (late and number == row.claims)
        for number, began in _succeeded(row)
    )


def _succeeded(row: Row) -> Iterator[tuple[int, datetime]]:
    return ((each.number, each.started_at) for each in row.log if each.outcome is AttemptOutcome.SUCCESS)


def _since(row: Row) -> int:
    """The last attempt before the last resend."""
    return row.resends[-1].after_attempt if row.resends else 0
