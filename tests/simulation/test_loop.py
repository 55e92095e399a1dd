"""The loop keeps asyncio's order, wastes no time, and its processes stop as an operating system's do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial

import pytest

from tests.simulation.loop import NATURE, Process, Stuck, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    """A loop at the beginning of time."""
    loop = VirtualLoop(patience=1_000)
    yield loop
    loop.have_patience()
    loop.run_until_complete(_end_all())
    loop.close()


async def _end_all() -> None:
    while rest := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in rest:
            task.cancel()
        await asyncio.wait(rest)


def test_an_hour_is_a_number(loop: VirtualLoop) -> None:
    """Whoever sleeps an hour wakes an hour later, and in the order of deadlines."""
    woken = []

    async def doze(seconds: float) -> None:
        await loop.pause(seconds)
        woken.append((seconds, loop.time()))

    async def both() -> None:
        await asyncio.gather(doze(3600.0), doze(1.0))

    loop.run_until_complete(both())
    assert woken == [(1.0, 1.0), (3600.0, 3600.0)]


def test_asyncio_waits_in_virtual_time(loop: VirtualLoop) -> None:
    """The timeouts of asyncio end when virtual time has come so far."""

    async def wait() -> None:
        async with asyncio.timeout(86_400.0):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        loop.run_until_complete(wait())
    assert loop.time() == 86_400.0


def test_a_frozen_process_is_late_and_complete(loop: VirtualLoop) -> None:
    """Nothing of it runs while it is frozen; what was due meanwhile runs when it thaws."""
    process = Process("sleeper", loop)
    seen: list[float] = []

    async def tick() -> None:
        for _ in range(3):
            await loop.pause(1.0)
            seen.append(loop.time())

    async def world() -> None:
        task = process.spawn(tick())
        await loop.pause(1.5)
        process.freeze()
        await loop.pause(8.5)
        process.thaw()
        await task

    loop.run_until_complete(world())
    assert seen == [1.0, 10.0, 11.0]


def test_a_dead_process_does_nothing_any_more(loop: VirtualLoop) -> None:
    """No ``finally`` of it runs, and what it had sent off before goes its way."""
    process = Process("victim", loop)
    seen: list[str] = []

    async def work() -> None:
        try:
            loop.call_later(2.0, seen.append, "arrived", context=NATURE)
            await loop.pause(3.0)
        finally:
            seen.append("cleaned up")

    async def world() -> None:
        task = process.spawn(work())
        await loop.pause(1.0)
        process.kill()
        await loop.pause(9.0)
        assert not task.done()

    loop.run_until_complete(world())
    assert seen == ["arrived"]
    process.bury()


@pytest.mark.parametrize("endless", [True, False])
def test_a_world_without_end_is_told(loop: VirtualLoop, endless: bool) -> None:
    """Everybody waiting for somebody is an error, and so is going round in circles; neither hangs the test."""

    async def wait() -> None:
        done = asyncio.Event()
        if endless:
            done.wait = partial(asyncio.sleep, 0)  # type: ignore[method-assign, assignment]
        while not done.is_set():
            await done.wait()

    with pytest.raises(Stuck), contextlib.closing(wait()) as waiting:
        loop.run_until_complete(waiting)
