"""What an operator is told of the whole outbox: the audit and the shape, each one statement."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from uuid import UUID

from galaxy_mail.adapters.postgres.pools import STATEMENT_SECONDS, PostgresTransaction
from galaxy_mail.adapters.postgres.rows import Row
from galaxy_mail.adapters.postgres.statements import Statements
from galaxy_mail.domain.invariants import LATE_COMMIT, LONGEST_LEASE, OVERDUE_TAKEOVER, Breach, Invariant
from galaxy_mail.domain.shape import AGES, DomainWaiting, LastWord, Shape, Waiting

AUDIT_SECONDS = 600
"""How long an audit may take. While it does, vacuum waits with what dies meanwhile."""


async def audit(snapshot: PostgresTransaction, sql: Statements, limit: int) -> tuple[Breach, ...]:
    """See ``Operations.audit``; it ends by itself after ``AUDIT_SECONDS``."""
    spans = OVERDUE_TAKEOVER, LONGEST_LEASE, LATE_COMMIT
    await snapshot.execute(f"set local statement_timeout = '{AUDIT_SECONDS}s'")
    patience = AUDIT_SECONDS + STATEMENT_SECONDS
    return breaches_from(await snapshot.fetch(sql["audit"], limit, *spans, timeout=patience))


def breaches_from(found: Iterable[Row]) -> tuple[Breach, ...]:
    """What ``audit.sql`` returned, in the order of the invariants."""
    broken: dict[Invariant, list[UUID]] = {}
    for row in found:
        ids = broken.setdefault(Invariant(row["invariant"]), [])
        if row["delivery_id"] is not None:
            ids.append(row["delivery_id"])
    return tuple(Breach(each, tuple(broken[each])) for each in Invariant if each in broken)


async def shape(snapshot: PostgresTransaction, sql: Statements, domains: int, most: int) -> Shape:
    """See ``Operations.shape``."""
    total, *rows = await snapshot.fetch(sql["shape"], domains, most, AGES)
    lines = [(domain, list(of)) for domain, of in itertools.groupby(rows, key=lambda row: row["domain"])]
    return Shape(
        total=_waiting(row for row in rows if row["domain"] is None),
        domains=tuple(DomainWaiting(domain, _waiting(of), _last(of[0])) for domain, of in lines if domain),
        looked_at=most,
        complete=total["complete"],
    )


def _waiting(rows: Iterable[Row]) -> Waiting:
    waiting = Waiting()
    for row in rows:
        waiting = waiting.joined(row["oldest"], row["number"])
    return waiting


def _last(row: Row) -> LastWord | None:
    if row["at"] is None:
        return None
    return LastWord(row["at"], row["stage"], row["blame"], row["code"], row["fault"], row["detail"])
