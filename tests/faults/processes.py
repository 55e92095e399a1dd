"""Worker processes: started, struck, replaced when they die, and never outliving us. Everything that they say is kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path

COMMAND = (str(Path(sys.executable).with_name("galaxy-mail")), "worker")
HOOK = Path(__file__).with_name("hook")
STOP_SECONDS = 30.0  # with a database that does not answer, giving back and closing take their time
STARTS = "starts"  # how the line ends that a worker begins with
LONGEST_LINE = 1024 * 1024


class Crew:
    """``size`` workers. One that ends is replaced, as a supervisor does; ``ends`` says which ended without being struck."""

    def __init__(self, size: int, environ: Mapping[str, str], folder: Path, *, wait: float) -> None:
        self.size = size
        self.ends: list[str] = []  # what ended otherwise than it should, after it had started
        self.deaths = 0  # by the hand of a mail
        path = os.pathsep.join((str(HOOK), *filter(None, [os.environ.get("PYTHONPATH")])))
        self._environ = {**os.environ, **environ, "PYTHONPATH": path, "FAULTS_WAIT": str(wait)}
        self._log = (folder / "workers.log").open("ab")
        self._running: dict[int, Process] = {}
        self._struck: dict[int, signal.Signals] = {}  # by the last signal that ends
        self._keepers: list[asyncio.Task[None]] = []
        self._heard: list[tuple[str, asyncio.Future[None]]] = []
        self._closing = False

    @property
    def pids(self) -> list[int]:
        """Of those that run."""
        return list(self._running)

    def start(self) -> None:
        """Start them all."""
        self._keepers = [asyncio.create_task(self._keep_one()) for _ in range(self.size)]

    async def close(self) -> None:
        """Stop them politely, kill and note what does not hear, and wait for all."""
        self._closing = True
        for pid in self.pids:
            self.signal(pid, signal.SIGCONT, signal.SIGTERM)
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=STOP_SECONDS)
            for process in list(self._running.values()):
                self._too_late(process)
            await asyncio.wait(self._keepers, timeout=STOP_SECONDS)
        self._log.close()

    def said(self, words: str) -> asyncio.Future[None]:
        """A future that is done once a worker, from now on, says these words."""
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard.append((words, heard))
        return heard

    # --- blows --------------------------------------------------------------------------------------------------------

    def signal(self, pid: int, *numbers: signal.Signals) -> None:
        """Send signals to a worker, if it is there still. It is told to stop once: a second time would stop it at once."""
        for number in numbers:
            process = self._running.get(pid)
            if process is None or (number is signal.SIGTERM and self._struck.get(pid) is number):
                continue
            if number in (signal.SIGKILL, signal.SIGTERM):
                self._struck[pid] = number
            if number is signal.SIGTERM:
                asyncio.get_running_loop().call_later(STOP_SECONDS, self._too_late, process)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def limit_descriptors(self, pid: int, number: int) -> None:
        """Let a worker open no file or socket whose number is so high. Those that it has go on."""
        with contextlib.suppress(OSError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(number, hard), hard))

    # --- inside -------------------------------------------------------------------------------------------------------

    def _too_late(self, process: Process) -> None:
        if process.returncode is None:
            self.ends.append(f"worker {process.pid} was told to stop, and did not")
            self.signal(process.pid, signal.SIGKILL)

    async def _keep_one(self) -> None:
        while not self._closing:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, env=self._environ, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, limit=LONGEST_LINE
            )
            self._running[process.pid] = process
            started = await self._listen(process)
            code = await process.wait()
            del self._running[process.pid]
            self._mourn(process.pid, code, started)

    def _mourn(self, pid: int, code: int, started: bool) -> None:
        struck = self._struck.pop(pid, None)
        if code == -signal.SIGKILL:
            self.deaths += struck is None  # of a poisonous mail
        elif started and (code != 0 or struck is None):
            self.ends.append(f"worker {pid} ended with {code}, having been sent {struck}")

    async def _listen(self, process: Process) -> bool:
        """Write down all that it says until it ends; whether it ever said that it starts."""
        assert process.stdout
        started = False
        while line := await process.stdout.readline():
            self._log.write(b"%d " % process.pid + line)
            started = started or line.rstrip().endswith(STARTS.encode())
            for words, heard in self._heard:
                if words.encode() in line and not heard.done():
                    heard.set_result(None)
            self._heard = [(words, heard) for words, heard in self._heard if not heard.done()]
        self._log.flush()
        return started
