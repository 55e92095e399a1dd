"""How many octets of finished messages a worker holds at once: its memory stays bounded, however large the mails are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """Lets nobody compose while ``limit`` octets or more are on their way; so one message may go over it, and no second.

    Others may overtake one that is composed in a thread: it comes on top.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._spent = 0
        self._freed = asyncio.Event()

    async def room(self) -> None:
        """Return once there is some. Whoever composes right then, without waiting for anything, finds it unspent."""
        while self._spent >= self._limit:
            await self._freed.wait()

    @contextmanager
    def spent(self, octets: int) -> Iterator[None]:
        """A message of so many octets is on its way."""
        self._spent += octets
        try:
            yield
        finally:
            self._spent -= octets
            self._freed.set()
            self._freed = asyncio.Event()
