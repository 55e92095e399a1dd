"""The Bell of the memory store: commits in the same event loop ring it, and its sign is seen until it is closed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from galaxy_mail.adapters.memory.signs import Signs
from galaxy_mail.adapters.memory.transactions import Table
from galaxy_mail.domain.leases import Sign


class MemoryBell:
    """Rings at each commit that adds a delivery, from the first ``arm`` on."""

    rings = True

    def __init__(self, table: Table, signs: Signs) -> None:
        self._table = table
        self._signs = signs
        self._own = signs.draw()
        self._ring = asyncio.Event()

    @property
    def sign(self) -> Sign | None:
        """See ``Bell.sign``."""
        return self._own if self._own in self._signs.there else None

    async def keep_sign(self) -> Sign | None:
        """See ``Bell.keep_sign``."""
        self._signs.take(self._own)
        return self._own

    async def arm(self, lasting: timedelta) -> None:
        """See ``Bell.arm``."""
        self._table.listeners[self._ring] = None

    async def rung(self) -> None:
        """See ``Bell.rung``."""
        await self._ring.wait()
        self._ring.clear()

    async def aclose(self) -> None:
        """See ``Bell.aclose``."""
        self._table.listeners.pop(self._ring, None)
        self._signs.drop(self._own)
        self._ring.clear()
