"""An event loop in which no time is wasted, and processes in it that can be stopped like those of an operating system.

Time is a number. When nothing is ready the loop moves it to the next timer, so an hour costs no more than a turn. Callbacks
run in the order in which asyncio promises to run them; what differs from seed to seed is how long the world takes to answer.

A callback belongs to the process in whose context it was scheduled, and so does all that it schedules. A frozen process's
callbacks are kept until it thaws: its timers ring late, as after SIGSTOP. A dead one's never run: no ``finally`` of it
does anything, as after SIGKILL.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")

NATURE = Context()
"""The context of what happens by itself: servers and networks, which live on when a process dies."""

_process: ContextVar[Process] = ContextVar("process")


class Stuck(AssertionError):
    """The world does not end: everybody waits for somebody, or something goes round in circles."""


class Process:
    """Tasks that live, freeze and die together."""

    def __init__(self, name: str, loop: VirtualLoop) -> None:
        self.name = name
        self.alive = True
        self.frozen = False
        self.excuses: list[float] = []  # when something happened to it for which a lease may be lost
        self.ambush: Callable[[str], None] = _nobody
        self._loop = loop
        self._parked: list[asyncio.Handle] = []
        self._on_return: list[Callable[[], None]] = []

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run ``work`` as a task of this process."""
        context = Context()
        context.run(_process.set, self)
        return self._loop.create_task(work, context=context)

    def reaches(self, milestone: str) -> None:
        """Tell whoever lies in wait that it has come so far."""
        self.ambush(milestone)

    def excuse(self) -> None:
        """Note that whatever it loses now is not its fault."""
        self.excuses.append(self._loop.time())

    def kill(self) -> None:
        """SIGKILL: nothing of it runs any more."""
        self.alive = False
        self.excuse()

    def freeze(self) -> None:
        """SIGSTOP: nothing of it runs until it thaws."""
        self.frozen = True
        self.excuse()

    def bury(self) -> None:
        """Let it run to its end, when nobody looks any more: Python wants each coroutine to have one."""
        self.alive, self.ambush = True, _nobody
        self.thaw()

    def thaw(self) -> None:
        """SIGCONT: whatever became ready meanwhile runs now, in its order."""
        self.frozen = False
        self.excuse()
        parked, self._parked = self._parked, []
        waiting, self._on_return = self._on_return, []
        for handle in parked:
            self._loop.resume(handle, self)
        for callback in waiting:
            callback()

    def on_return(self, callback: Callable[[], None]) -> None:
        """Call back when it thaws."""
        self._on_return.append(callback)

    def runs(self, handle: asyncio.Handle) -> bool:
        """Whether this callback of it may run now."""
        running = self.alive and not self.frozen
        if not running:
            self._parked.append(handle)
        return running


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs what is ready, then moves time to the next timer. It knows no sockets and no threads.

    Raises:
        Stuck: from ``run_until_complete``, if nothing can happen any more, or after ``patience`` callbacks.
    """

    def __init__(self, patience: int = 50_000) -> None:
        super().__init__()
        self.steps = 0
        self.complaints: list[str] = []  # what asyncio would have logged
        self._patience = patience
        self._now = 0.0
        self._queue: deque[tuple[asyncio.Handle, Process | None]] = deque()
        self._alarms: list[tuple[float, int, asyncio.TimerHandle, Process | None]] = []
        self._serial = count()

    def time(self) -> float:
        """Seconds since the beginning of the world."""
        return self._now

    def have_patience(self) -> None:
        """Count the callbacks from here on."""
        self.steps = 0

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """See ``AbstractEventLoop.call_soon``."""
        context = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, context)
        self._queue.append((handle, context.get(_process)))
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See ``AbstractEventLoop.call_at``. Of equal times, the one that was asked for first comes first."""
        context = copy_context() if context is None else context
        alarm = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._alarms, (when, next(self._serial), alarm, context.get(_process)))
        return alarm

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See ``AbstractEventLoop.call_later``."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def resume(self, handle: asyncio.Handle, process: Process) -> None:
        """Run a callback that was held up."""
        self._queue.append((handle, process))

    async def pause(self, seconds: float) -> None:
        """Return after ``seconds`` of virtual time."""
        woken = self.create_future()
        alarm = self.call_later(max(seconds, 0.0), _wake, woken)
        try:
            await woken
        finally:
            alarm.cancel()

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: object = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        """See ``AbstractEventLoop.create_task``."""
        return asyncio.Task(coro, loop=self, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep the complaint."""
        self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is dropped when its time comes."""

    def _run_once(self) -> None:
        """Run until somebody calls ``stop``: asyncio asks for one turn, but its check after each costs a tenth of all."""
        while not self._stopping:  # type: ignore[attr-defined]
            self.steps += 1
            if self.steps > self._patience:
                raise Stuck(f"no end after {self._patience} callbacks, at {self._now:.3f} s")
            if not self._queue:
                self._pass_time()
            handle, process = self._queue.popleft()
            if not handle._cancelled and (process is None or process.runs(handle)):
                handle._run()

    def _pass_time(self) -> None:
        while self._alarms:
            self._now, _, alarm, process = heapq.heappop(self._alarms)
            if not alarm.cancelled():
                self._queue.append((alarm, process))
                return
        raise Stuck(f"everybody waits for somebody, at {self._now:.3f} s")


def _nobody(_: str) -> None:
    pass


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
