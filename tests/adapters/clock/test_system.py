from __future__ import annotations

import asyncio

import pytest

from galaxy_mail.adapters.clock.system import SystemClock
from galaxy_mail.domain.ports import Clock
from galaxy_mail.testing.contracts.clock import ClockContract


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        """The machine's clock."""
        return SystemClock()


async def test_a_cancelled_sleep_ends_at_once() -> None:
    """Whoever sleeps can be cancelled, however long the sleep was to be."""
    sleeper = asyncio.create_task(SystemClock().sleep(3_600))
    await asyncio.sleep(0)
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_no_time_is_no_sleep(seconds: float) -> None:
    """Asking for no time, or for time past, returns without waiting."""
    began = asyncio.get_running_loop().time()
    await SystemClock().sleep(seconds)
    assert asyncio.get_running_loop().time() - began < 1.0
