"""Who waits, by age and domain: the statement ``shape.sql`` of the Postgres store, in Python."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from galaxy_mail.adapters.memory.rows import RecipientRow, Row
from galaxy_mail.domain.delivery import DeliveryStatus, RecipientState
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.shape import DomainWaiting, LastWord, Shape, Waiting

Open = tuple[Row, RecipientRow]
NEVER = datetime.min.replace(tzinfo=UTC)


def shape(rows: Iterable[Row], domains: int, most: int, now: datetime) -> Shape:
    """See ``Operations.shape``."""
    living = sorted((row for row in rows if not row.status.terminal), key=lambda row: row.next_attempt_at)
    lanes = [[row for row in living if row.lane is lane] for lane in Lane]
    people = [each for lane in lanes for row in lane[:most] if row.queued_at <= now for each in _open(row)]
    by_domain: dict[str, list[Open]] = defaultdict(list)
    for row, each in people:
        by_domain[each.recipient.address.domain].append((row, each))
    lines = sorted(by_domain.items(), key=lambda line: (-len(line[1]), line[0]))
    return Shape(
        total=_waiting(people, now),
        domains=tuple(
            DomainWaiting(domain, _waiting(of, now), _last(of))
            for domain, of in itertools.islice(lines, domains)
        ),
        looked_at=most,
        complete=all(len(lane) < most for lane in lanes),
    )


def _open(row: Row) -> Iterator[Open]:
    return ((row, each) for each in row.recipients if each.state is RecipientState.OPEN)


def _waiting(people: Iterable[Open], now: datetime) -> Waiting:
    return Waiting.of([now - row.queued_at for row, _ in people])


def _last(people: Iterable[Open]) -> LastWord | None:
    """Of whoever was claimed last of those that were tried, since they were enqueued or resent."""
    tried = [one for one in people if one[0].status is DeliveryStatus.RETRYING]
    if not tried:
        return None
    row, each = max(tried, key=lambda one: one[0].claimed_at or NEVER)
    attempt = row.log[-1]
    return LastWord(
        attempt.started_at + attempt.duration,
        attempt.stage,
        attempt.blame,
        each.code,
        attempt.fault,
        each.detail,
    )
