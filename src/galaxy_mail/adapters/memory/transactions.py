"""Transactions of the memory store: what is staged in one is seen by nobody until it commits.

Of PostgreSQL's behaviour they keep what producers can notice: READ COMMITTED, a second user of an idempotency key waits for
the transaction of the first to end, and two that wait for each other are a deadlock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import attrs

from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.errors import StoreUnavailable, UnusableTransaction

DEADLOCK_DETECTED = "40P01"  # PostgreSQL, appendix A
UNIQUE_VIOLATION = "23505"


@attrs.define(eq=False, repr=False)
class MemoryTransaction:
    """An open transaction, for ``within=``. Made by ``MemoryStore.transaction`` only."""

    staged: dict[UUID, Row] = attrs.field(factory=dict)
    ended: asyncio.Event = attrs.field(factory=asyncio.Event)
    waits_for: MemoryTransaction | None = None

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What is staged within is staged no more if it raises."""
        before = dict(self.staged)
        try:
            yield
        except BaseException:
            self.staged = before
            raise

    async def wait_for(self, rival: MemoryTransaction) -> None:
        """Return when ``rival`` has ended.

        Raises:
            StoreUnavailable: with sqlstate 40P01 if ``rival`` waits for this one.
        """
        if self in _chain(rival):
            raise StoreUnavailable("enqueue", DEADLOCK_DETECTED, "deadlock")
        self.waits_for = rival
        try:
            await rival.ended.wait()
        finally:
            self.waits_for = None


def _chain(transaction: MemoryTransaction | None) -> Iterator[MemoryTransaction]:
    while transaction is not None:
        yield transaction
        transaction = transaction.waits_for


class Table:
    """The committed rows by id, and the transactions that are open over them."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Row] = {}
        self._keys: dict[str, Row] = {}
        self.open: list[MemoryTransaction] = []
        # Set at each commit that adds rows, in the order in which they came: a run can be repeated exactly.
        self.listeners: dict[asyncio.Event, None] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryTransaction]:
        """Committed on leaving, rolled back on an exception."""
        transaction = MemoryTransaction()
        self.open.append(transaction)
        try:
            yield transaction
            self._commit(transaction.staged)
        finally:
            self.open.remove(transaction)
            transaction.ended.set()

    async def claim_key(self, key: str | None, within: MemoryTransaction) -> Row | None:
        """The row that owns ``key`` as ``within`` sees it, once no other transaction may still become its owner."""
        self.require_open(within)
        while key is not None and (rival := self._rival(key, within)):
            await within.wait_for(rival)
            self.require_open(within)  # it may have ended while it waited
        return None if key is None else self._keys.get(key) or _owner(key, within)

    def stage(self, row: Row, within: MemoryTransaction) -> None:
        """Add a row to an open transaction."""
        if any(row.delivery_id in rows for rows in (self.rows, *(each.staged for each in self.open))):
            raise StoreUnavailable("enqueue", UNIQUE_VIOLATION, "delivery_id is not unique")
        within.staged[row.delivery_id] = row

    def forget(self, rows: Iterable[Row]) -> None:
        """Delete committed rows; their keys are free again."""
        for row in rows:
            del self.rows[row.delivery_id]
            if row.idempotency_key is not None:
                del self._keys[row.idempotency_key]

    def require_open(self, within: object) -> None:
        """Raise ``UnusableTransaction`` unless ``within`` is an open transaction of this store."""
        if not any(within is each for each in self.open):
            raise UnusableTransaction("within: is not an open transaction of this MemoryStore")

    def _commit(self, staged: dict[UUID, Row]) -> None:
        self.rows.update(staged)
        self._keys.update(
            {row.idempotency_key: row for row in staged.values() if row.idempotency_key is not None}
        )
        if staged:
            self.ring()

    def ring(self) -> None:
        """Wake whoever listens."""
        for listener in self.listeners:
            listener.set()

    def _rival(self, key: str, within: MemoryTransaction) -> MemoryTransaction | None:
        others = (each for each in self.open if each is not within)
        return next((each for each in others if _owner(key, each)), None)


def _owner(key: str, transaction: MemoryTransaction) -> Row | None:
    return next((row for row in transaction.staged.values() if row.idempotency_key == key), None)
