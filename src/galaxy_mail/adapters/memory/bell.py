"""The Bell of the memory store: commits in the same event loop ring it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from galaxy_mail.adapters.memory.transactions import Table


class MemoryBell:
    """Rings at each commit that adds a delivery, from the first ``arm`` on."""

    rings = True

    def __init__(self, table: Table) -> None:
        self._table = table
        self._ring = asyncio.Event()

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
        self._ring.clear()
