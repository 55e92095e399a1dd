from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.domain.ports import Clock
from galaxy_mail.testing.contracts.clock import ClockContract

MILLISECONDS = st.integers(1, 5_000).map(lambda n: n / 1_000)


class TestManualClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        """A clock that the test moves."""
        return ManualClock()

    async def let_pass(self, clock: Clock, seconds: float) -> None:
        """Wait until somebody sleeps, then move the clock."""
        assert isinstance(clock, ManualClock)
        await clock.wait_for_sleepers()
        clock.advance(seconds)


@given(naps=st.lists(MILLISECONDS, min_size=1, max_size=8), steps=st.lists(MILLISECONDS, max_size=8))
async def test_sleepers_wake_when_due_in_the_order_of_their_deadlines(
    naps: list[float], steps: list[float]
) -> None:
    """Whatever the steps, who is due has woken and nobody else; earlier deadlines first, equals in order of arrival."""
    clock, woken = ManualClock(), list[int]()
    clock.advance(7)  # deadlines count from falling asleep, not from the clock's zero
    began = clock.monotonic()

    async def nap(name: int) -> None:
        await clock.sleep(naps[name])
        woken.append(name)

    sleepers = [asyncio.create_task(nap(name)) for name in range(len(naps))]
    await asyncio.sleep(0)
    assert clock.sleepers == len(naps)
    by_deadline = sorted(range(len(naps)), key=lambda name: naps[name])
    for step in steps:
        clock.advance(step)
        await asyncio.sleep(0)
        assert woken == [name for name in by_deadline if naps[name] <= round(clock.monotonic() - began, 6)]
    clock.advance(10)
    await asyncio.sleep(0)
    assert woken == by_deadline
    await asyncio.gather(*sleepers)


@given(steps=st.lists(MILLISECONDS))
def test_both_clocks_advance_together(steps: list[float]) -> None:
    """Advancing adds up exactly, on the monotonic and on the wall clock."""
    clock = ManualClock()
    began = clock.now()
    for step in steps:
        clock.advance(timedelta(seconds=step))
    assert clock.now() - began == sum((timedelta(seconds=step) for step in steps), timedelta(0))
    assert clock.monotonic() == (clock.now() - began).total_seconds()


async def test_a_sleeper_wakes_at_its_deadline_and_not_one_microsecond_before() -> None:
    """The deadline itself is late enough."""
    clock = ManualClock()
    sleeper = asyncio.create_task(clock.sleep(0.3))
    await clock.wait_for_sleepers()
    clock.advance(timedelta(microseconds=299_999))
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(timedelta(microseconds=1))
    await sleeper
    assert clock.sleepers == 0


async def test_waiting_for_sleepers_returns_with_the_last_of_them() -> None:
    """``wait_for_sleepers(n)`` is not content with fewer than n."""
    clock = ManualClock()
    waiting = asyncio.create_task(clock.wait_for_sleepers(2))
    first = asyncio.create_task(clock.sleep(1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    second = asyncio.create_task(clock.sleep(1))
    await waiting
    clock.advance(1)
    await asyncio.gather(first, second)
    assert clock.sleepers == 0


async def test_a_cancelled_sleeper_is_asleep_no_more() -> None:
    """A sleep can be cancelled; it neither counts nor hinders the others."""
    clock = ManualClock()
    cancelled, other = (asyncio.create_task(clock.sleep(1)) for _ in range(2))
    await clock.wait_for_sleepers(2)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert clock.sleepers == 1
    clock.advance(1)
    await other


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_no_time_is_no_sleep(seconds: float) -> None:
    """Asking for no time, or for time past, needs nobody to move the clock."""
    clock = ManualClock()
    await clock.sleep(seconds)
    assert clock.sleepers == 0


async def test_a_jump_moves_the_wall_clock_alone() -> None:
    """Setting the wall clock by ten years wakes nobody and leaves monotonic time alone."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    sleeper = asyncio.create_task(clock.sleep(1))
    await clock.wait_for_sleepers()
    clock.jump(timedelta(days=3_650))
    await asyncio.sleep(0)
    assert (clock.now().year, clock.monotonic(), clock.sleepers) == (2035, 0.0, 1)
    clock.advance(1)
    await sleeper


def test_time_cannot_be_taken_back() -> None:
    """Monotonic time cannot be advanced by less than nothing."""
    with pytest.raises(AssertionError):
        ManualClock().advance(-0.001)


def test_its_repr_shows_the_time() -> None:
    """A failing test prints what time it is."""
    assert repr(ManualClock()) == "<ManualClock 2026-01-01T00:00:00+00:00, 0 asleep>"
