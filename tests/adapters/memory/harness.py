"""The memory store in the hands of a test: its clock stands still unless it is moved, so a millisecond is exact."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.adapters.memory import MemoryStore


class MemoryHarness:
    """A StoreHarness; ``kind`` may be a sabotaged store."""

    tick = timedelta(milliseconds=1)

    def __init__(self, kind: type[MemoryStore] = MemoryStore) -> None:
        self.clock = ManualClock()
        self.store = kind(self.clock)

    async def now(self) -> datetime:
        """The instant of its clock."""
        return self.clock.now()

    async def age(self, by: timedelta) -> None:
        """Move its clock on."""
        self.clock.advance(by)

    @asynccontextmanager
    async def unusable_transactions(self) -> AsyncIterator[Mapping[str, Any]]:
        """Ended ones, another store's, and what is none at all."""
        async with self.store.transaction() as ended:
            pass
        async with MemoryStore().transaction() as foreign:
            yield {
                "ended": ended,
                "another store's": foreign,
                "no transaction": object(),
                "the store": self.store,
            }

    async def secrets_of(self, delivery_id: UUID) -> object | None:
        """Secrets and their digest."""
        stored = self.store.rows[delivery_id].stored
        return stored.secrets or stored.secret_digest

    async def corrupt(self, delivery_id: UUID) -> None:
        """Make the context another JSON value than an object."""
        self.store.rows[delivery_id].stored.context = "[]"

    async def leased_count(self) -> int:
        """Rows with a token."""
        return sum(row.token is not None for row in self.store.rows.values())

    async def aclose(self) -> None:
        """Assert that no transaction was left open."""
        assert self.store.open_transactions == 0
