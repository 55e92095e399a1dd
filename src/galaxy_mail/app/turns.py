"""Whose turn it is: the order in which the claims in a worker's hand are worked on, and how many at once.

As many as the connections can carry, and no more: what has not begun can still be overtaken by a login code, or be given
back untouched. And one at a time: rendering and composing are a worker's longest steps, so between two of them the event
loop attends to whatever else is ready, a claim that brings a login code above all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.holding import Holding, Progress
from galaxy_mail.domain.mail import Lane

Work = Callable[[Holding], Coroutine[None, None, None]]


class Turns:
    """Runs ``work`` on each holding that is added, at most ``width()`` of them together.

    The urgent come first, and within a lane whoever came first; but each so many turns the lane behind all others has one,
    so that a flood in front of it does not hold it for ever.
    """

    def __init__(self, config: RuntimeConfig, work: Work, width: Callable[[], int]) -> None:
        self._width = width
        self._share = config.share_behind
        self._work = work
        self._waiting: dict[Lane, deque[Holding]] = {lane: deque() for lane in Lane}
        self._running: set[Holding] = set()
        self._turn = 0
        self._beginning: asyncio.Handle | None = None

    def add(self, holding: Holding) -> None:
        """Let it wait for its turn, which may be at once."""
        self._waiting[holding.claim.lane].append(holding)
        self._go_on()

    def over(self, holding: Holding) -> None:
        """It needs its place no longer. Work that ends without saying so, or never began, frees it too."""
        self._running.discard(holding)
        self._go_on()

    def forget(self) -> None:
        """Whoever is under way keeps its place no longer: it may hang for minutes, and nobody is to wait for it."""
        self._running.clear()
        self._go_on()

    def _go_on(self) -> None:
        if self._beginning is None and len(self._running) < self._width() and any(self._waiting.values()):
            self._beginning = asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._beginning = None
        holding = self._next()
        if holding.progress is Progress.UNTOUCHED:  # else it was withdrawn while it waited
            self._running.add(holding)
            holding.task = asyncio.create_task(self._work(holding))
            holding.task.add_done_callback(lambda _: self.over(holding))
        self._go_on()

    def _next(self) -> Holding:
        waiting = [queue for queue in self._waiting.values() if queue]
        self._turn += 1
        return waiting[0 if self._turn % self._share else -1].popleft()
