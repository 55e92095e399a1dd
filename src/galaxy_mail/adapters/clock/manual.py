"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

_START = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """The Clock of tests: time passes by :meth:`advance` alone, so a day costs nothing.

    A test waits for an event and not for time: ``await clock.wait_for_sleepers(1)``, then ``clock.advance(5)``. It keeps
    whole microseconds, so that ten tenths of a second are one second.
    """

    def __init__(self, start: datetime = _START) -> None:
        self._now = start.astimezone(UTC)
        self._elapsed = timedelta(0)
        self._sleepers: list[tuple[timedelta, int, asyncio.Future[None]]] = []  # a heap by deadline
        self._turn = count()
        self._someone_fell_asleep = asyncio.Event()

    def __repr__(self) -> str:
        return f"<ManualClock {self._now.isoformat()}, {self.sleepers} asleep>"

    def monotonic(self) -> float:
        """Seconds that :meth:`advance` has let pass."""
        return self._elapsed.total_seconds()

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has been advanced by ``seconds``; at the loop's next turn for zero or less."""
        deadline = self._elapsed + timedelta(seconds=seconds)
        if deadline <= self._elapsed:
            await asyncio.sleep(0)
            return
        alarm = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (deadline, next(self._turn), alarm))
        self._someone_fell_asleep.set()
        self._someone_fell_asleep = asyncio.Event()
        await alarm

    def advance(self, by: timedelta | float) -> None:
        """Let time pass (seconds, or a timedelta) and wake whoever is due, in the order of deadlines, then of arrival.

        The woken run when the caller next awaits; all of them see the new time.
        """
        by = by if isinstance(by, timedelta) else timedelta(seconds=by)
        assert by >= timedelta(0), "monotonic time does not run backwards; see jump"
        self._elapsed += by
        self._now += by
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, alarm = heapq.heappop(self._sleepers)
            if not alarm.done():
                alarm.set_result(None)

    def jump(self, by: timedelta) -> None:
        """Set the wall clock forward or back, as an administrator would; nobody wakes and monotonic time stands."""
        self._now += by

    @property
    def sleepers(self) -> int:
        """How many are asleep; one whose sleep was cancelled is not."""
        return sum(not alarm.done() for _, _, alarm in self._sleepers)

    async def wait_for_sleepers(self, at_least: int = 1) -> None:
        """Return as soon as so many are asleep at once."""
        while self.sleepers < at_least:
            await self._someone_fell_asleep.wait()
