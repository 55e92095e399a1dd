"""The clock of the machine."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """The Clock of production: the kernel's monotonic clock, the wall clock in UTC, the event loop's timers."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, from an arbitrary zero."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall clock, aware, in UTC; it may jump."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``; at once for zero or less."""
        await asyncio.sleep(seconds)
