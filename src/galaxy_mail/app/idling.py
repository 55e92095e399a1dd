"""What a worker does while nothing is due: it listens for the bell, and looks again by itself, ever less often.

The bell is a hint and may be missed or not ring at all. So after work the first looks follow soon after each other, each
after twice the wait of the one before, up to ``poll_interval``. That bounds how late a mail is found where nothing rings.
"""

from __future__ import annotations

import asyncio
import logging

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.ports import Clock
from galaxy_mail.domain.worker_ports import Bell


class Idling:
    """Paces the looks of one worker."""

    def __init__(self, *, bell: Bell, clock: Clock, config: RuntimeConfig, logger: logging.Logger) -> None:
        self._bell = bell
        self._clock = clock
        self._first = config.first_poll.total_seconds()
        self._longest = config.poll_interval.total_seconds()
        self._armed = 2 * config.poll_interval + config.bell_armed
        self._log = logger
        self._pause = self._first
        self._rings: bool | None = None

    def over(self) -> None:
        """Mail was found: the next idle time begins with short waits."""
        self._pause = self._first

    async def prepare(self) -> None:
        """Arm the bell. Whoever calls this looks once more before ``wait``."""
        await self._bell.arm(self._armed)
        if self._bell.rings is not self._rings:
            self._rings = self._bell.rings
            self._log.info(
                "new mail is %s", "announced by the database" if self._rings else "found by polling"
            )

    async def wait(self) -> None:
        """Return at the next ring, or when it is time to look again."""
        pause, self._pause = min(self._pause, self._longest), min(self._pause * 2, self._longest)
        asleep = asyncio.ensure_future(self._clock.sleep(pause))
        rung = asyncio.ensure_future(self._bell.rung())
        try:
            await asyncio.wait((asleep, rung), return_when=asyncio.FIRST_COMPLETED)
        finally:
            asleep.cancel()
            rung.cancel()

    async def close(self) -> None:
        """Listen no longer."""
        await self._bell.aclose()
