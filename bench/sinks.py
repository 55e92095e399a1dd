"""The sinks as the bench sees them: start one, let somebody send to it, ask what arrived."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import attrs

from bench.children import Child, child

GLANCE = 0.01
COUNTED = re.compile(rb"mesg=(\d+)")


@attrs.frozen
class Arrivals:
    """What a sink received. ``moments`` has the time of every copy by Message-ID, unless the sink only counts."""

    count: int
    first: float
    last: float
    moments: dict[str, list[float]] | None = None

    @property
    def rate(self) -> float:
        """Mails a second from the first to the last; what came before the first is nobody's fault."""
        return (self.count - 1) / (self.last - self.first)

    def grievances(self, expected: int) -> list[str]:
        """Why it is not true that each of ``expected`` mails arrived exactly once.

        Where the sink only counts: each mail that is recorded as sent was accepted at least once, so if there are as many
        records as copies, and as many of both as mails, none came twice.
        """
        if self.moments is None:
            return [] if self.count == expected else [f"{self.count} copies of {expected} mails arrived"]
        copies = Counter({name: len(moments) for name, moments in self.moments.items()})
        twice = sum(1 for number in copies.values() if number > 1)
        missing = expected - len(copies)
        found = [f"{twice} mails arrived more than once"] if twice else []
        return found + ([f"{missing} mails did not arrive"] if missing else [])


class Sink(Protocol):
    """A running sink."""

    name: str
    port: int

    async def arrivals(self) -> Arrivals:
        """End it and say what it received."""
        ...


class OwnSink:
    """``bench.sink``, which notes every copy."""

    name = "bench/sink.py"

    def __init__(self, process: Child, port: int) -> None:
        self._process = process
        self.port = port

    async def arrivals(self) -> Arrivals:
        """End it and say what it received."""
        printed = await self._process.last_words()
        moments: dict[str, list[float]] = {}
        for line in printed.splitlines():
            moment, name = line.split(" ", 1)
            moments.setdefault(name, []).append(float(moment))
        every = sorted(moment for one in moments.values() for moment in one) or [0.0]
        return Arrivals(sum(map(len, moments.values())), every[0], every[-1], moments)


class PostfixSink:
    """Postfix's smtp-sink with ``-c``: it prints its count, which is read every few milliseconds."""

    name = "smtp-sink"

    def __init__(self, process: Child, port: int) -> None:
        self._process = process
        self.port = port
        self._seen: list[tuple[float, int]] = []
        self._watching = asyncio.create_task(self._watch())

    async def arrivals(self) -> Arrivals:
        """End it and say what it received."""
        await asyncio.sleep(5 * GLANCE)
        self._watching.cancel()
        await asyncio.wait([self._watching])
        self._look()
        await self._process.stop()
        risen = [(moment, count) for moment, count in self._seen if count]
        if not risen:
            return Arrivals(0, 0.0, 0.0)
        last = next(moment for moment, count in risen if count == risen[-1][1])
        return Arrivals(risen[-1][1], risen[0][0], last)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(GLANCE)
            self._look()

    def _look(self) -> None:
        try:
            counts = COUNTED.findall(os.read(self._process.stdout.fileno(), 1 << 20))
        except BlockingIOError:
            return
        if counts:
            self._seen.append((time.monotonic(), int(counts[-1])))


@asynccontextmanager
async def own_sink(delay: float = 0.0) -> AsyncIterator[OwnSink]:
    """Our sink, for as long as the block lasts."""
    async with child([sys.executable, "-m", "bench.sink", "--delay", str(delay)], talks=True) as process:
        port = int(await asyncio.to_thread(process.stdout.readline))
        yield OwnSink(process, port)


@asynccontextmanager
async def postfix_sink() -> AsyncIterator[PostfixSink]:
    """Postfix's smtp-sink, for as long as the block lasts."""
    program = find("smtp-sink")
    assert program
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    async with child([program, "-c", *user, f"127.0.0.1:{port}", "1000"], talks=True) as process:
        await _until_open(port)
        os.set_blocking(process.stdout.fileno(), False)
        yield PostfixSink(process, port)


async def _until_open(port: int) -> None:
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        await asyncio.sleep(GLANCE)
    raise TimeoutError("the sink does not listen")


def find(program: str) -> str | None:
    """Where a program of Postfix is, or None."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


def drain_sink() -> Callable[[], object]:
    """The sink that everybody drains into on this machine."""
    return postfix_sink if find("smtp-sink") else own_sink
