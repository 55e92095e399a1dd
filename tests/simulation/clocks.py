"""Clocks of a simulated world: everybody has one of their own, and only the store's is right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.simulation.loop import VirtualLoop

GENESIS = datetime(2026, 1, 1, tzinfo=UTC)


class SimulatedClock:
    """A Clock: monotonic time from an arbitrary zero, and a wall clock that may be wrong and jump."""

    def __init__(self, loop: VirtualLoop, zero: float = 0.0, skew: timedelta = timedelta(0)) -> None:
        self._loop = loop
        self._zero = zero
        self.skew = skew

    def monotonic(self) -> float:
        """See ``Clock.monotonic``."""
        return self._zero + self._loop.time()

    def now(self) -> datetime:
        """See ``Clock.now``."""
        return GENESIS + timedelta(seconds=self._loop.time()) + self.skew

    async def sleep(self, seconds: float) -> None:
        """See ``Clock.sleep``."""
        await self._loop.pause(seconds)
