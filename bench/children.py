"""Processes that the bench starts: each has a time limit, is accounted for, and is ended when its block ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

import attrs

GLANCE = 0.005
GRACE = 10.0
ROOT = Path(__file__).parent.parent
OURS = "GALAXY_MAIL_"  # settings of whoever runs the bench have no say in it


class ChildFailed(Exception):
    """A process of the bench ended badly, or did not end in time."""


@attrs.frozen
class Usage:
    """What a process, with the children it waited for, has used."""

    code: int
    cpu: float  # seconds, user and system
    rss_mb: float
    wall: float


class Child:
    """A running process. Its errors go to a file that is quoted when it fails."""

    def __init__(self, command: Sequence[str], *, talks: bool = False) -> None:
        self._command = command
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        pipe = subprocess.PIPE if talks else subprocess.DEVNULL
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe if talks else self._errors,
            stderr=self._errors,
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith(OURS)},
        )
        self._usage: Usage | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout
        return self._process.stdout

    async def ended(self, limit: float) -> Usage:
        """Wait for its own end.

        Raises:
            ChildFailed: it takes longer than ``limit`` seconds, or exits with another code than 0.
        """
        try:
            async with asyncio.timeout(limit):
                usage = await self._reaped()
        except TimeoutError:
            raise ChildFailed(f"{self._name}: not done after {limit:.0f} s; {self._said()}") from None
        if why := self.failure():
            raise ChildFailed(why)
        return usage

    def failure(self) -> str | None:
        """How it failed, if it has ended and did."""
        usage = self._reap()
        return f"{self._name}: exit code {usage.code}; {self._said()}" if usage and usage.code else None

    async def last_words(self, limit: float = 60.0) -> str:
        """Close its input, and return all that it still prints."""
        assert self._process.stdin
        self._process.stdin.close()
        async with asyncio.timeout(limit):
            return (await asyncio.to_thread(self.stdout.read)).decode()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self._usage is None and not self._reap():
            os.kill(self.pid, number)

    async def stop(self) -> Usage:
        """End it: SIGTERM, and SIGKILL if that does not help."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.send(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    return await self._reaped()
        raise ChildFailed(f"{self._name}: cannot be ended")

    def close(self) -> None:
        """Let go of its files."""
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream:
                stream.close()

    @property
    def _name(self) -> str:
        words = [
            word.rpartition("/")[2] for word in self._command[:4] if "://" not in word
        ]  # a DSN holds a password
        return " ".join(words)

    async def _reaped(self) -> Usage:
        while not (usage := self._reap()):
            await asyncio.sleep(GLANCE)
        return usage

    def _reap(self) -> Usage | None:
        if self._usage is None:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                code = self._process.returncode = os.waitstatus_to_exitcode(status)
                wall = time.monotonic() - self._began
                self._usage = Usage(code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, wall)
        return self._usage

    def _said(self) -> str:
        self._errors.seek(0)
        return "it said: " + self._errors.read()[-600:].decode(errors="replace").strip()


@asynccontextmanager
async def child(command: Sequence[str], *, talks: bool = False) -> AsyncIterator[Child]:
    """A process for as long as the block lasts.

    Raises:
        ChildFailed: the block failed, and so had the process before: that is why.
    """
    process = Child(command, talks=talks)
    try:
        yield process
    except Exception as error:
        if why := process.failure():
            raise ChildFailed(why) from error
        raise
    finally:
        await process.stop()
        process.close()


async def run(command: Sequence[str], limit: float) -> Usage:
    """Run a process to its end; see ``Child.ended``."""
    async with child(command) as process:
        return await process.ended(limit)


async def output(command: Sequence[str], limit: float) -> str:
    """What a process prints.

    Raises:
        ChildFailed: as in ``Child.ended``.
    """
    async with child(command, talks=True) as process:
        printed = await process.last_words(limit)
        await process.ended(limit)
        return printed
