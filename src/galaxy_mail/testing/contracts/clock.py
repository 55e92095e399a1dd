"""The laws of the Clock port."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from galaxy_mail.domain.ports import Clock

NAP = 0.01
TICK = 0.001  # the coarsest event loop (libuv's) counts milliseconds


class ClockContract:
    """What every Clock does. Override ``clock``, and ``let_pass`` if its time does not pass by itself."""

    @pytest.fixture
    def clock(self) -> Clock:
        """The clock under test."""
        raise NotImplementedError

    async def let_pass(self, clock: Clock, seconds: float) -> None:
        """See to it that ``seconds`` pass for whoever sleeps by ``clock``."""

    def test_time_does_not_run_backwards(self, clock: Clock) -> None:
        """Of two readings of the monotonic clock the later one is not less."""
        readings = [clock.monotonic() for _ in range(100)]
        assert readings == sorted(readings)

    def test_now_is_aware(self, clock: Clock) -> None:
        """The wall clock says that it speaks UTC."""
        assert clock.now().utcoffset() == timedelta(0)

    @pytest.mark.asyncio
    async def test_sleep_lasts_as_long_as_asked(self, clock: Clock) -> None:
        """A sleeper does not return before the time it asked for has passed by the same clock."""
        began = clock.monotonic()
        sleeper = asyncio.create_task(clock.sleep(NAP))
        await self.let_pass(clock, NAP)
        await sleeper
        assert clock.monotonic() - began >= NAP - TICK
