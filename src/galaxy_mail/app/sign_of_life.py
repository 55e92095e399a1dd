"""A worker's own sign of life: keeping it, and knowing whether what was claimed under it is safe.

Others end the leases under a sign that they missed in so many looks in a row, a pause apart. So for as long as that takes
from when it was there for certain, nobody can have ended any. In that time the sign is taken again, or what is held is
renewed without one; past it no body begins under a sign that is lost.
"""

from __future__ import annotations

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.leases import Sign
from galaxy_mail.domain.ports import Clock
from galaxy_mail.domain.worker_ports import Bell


class SignOfLife:
    """That of one worker, which is its bell's."""

    def __init__(self, *, bell: Bell, clock: Clock, config: RuntimeConfig) -> None:
        self._bell = bell
        self._clock = clock
        self.pause = config.sign_pause.total_seconds()
        self._grace = (config.looks_in_vain - 1) * self.pause
        self._safe_until = clock.monotonic()

    @property
    def now(self) -> Sign | None:
        """What is to be written onto claims now."""
        return self._bell.sign

    def covers(self, sign: Sign | None) -> bool:
        """Whether nobody ends leases under ``sign``: it is there, or was there just now, or there is none."""
        return sign is None or sign == self._bell.sign or self._clock.monotonic() < self._safe_until

    async def keep(self) -> None:
        """Keep it, for ever."""
        while True:
            asked = self._clock.monotonic()
            if await self._bell.keep_sign() is not None:
                self._safe_until = asked + self._grace
            await self._clock.sleep(self.pause)
