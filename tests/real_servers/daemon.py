"""One server under test: started in a private system, waited for, looked into, ended."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

from galaxy_mail.adapters.embedded_postgres.loopback import free_port
from tests.real_servers.enclosure import enclosed, require

HOST = "127.0.0.1"
START_SECONDS = 30
GLANCE_SECONDS = 0.02
GLANCES = round(START_SECONDS / GLANCE_SECONDS)


@attrs.frozen(kw_only=True)
class Recipe:
    """How a server is run on one port of loopback."""

    program: str  # what must be found for it
    files: Callable[[int], Mapping[str, str]]  # path in its system -> content, for a port
    script: str  # makes what is missing (users, folders), then runs the server in the foreground


@attrs.define
class Daemon:
    """A running server. ``ground`` is its ``/srv``."""

    process: subprocess.Popen[bytes]
    ground: Path
    port: int

    def until(self, holds: Callable[[], bool]) -> None:
        """Return as soon as something holds. Looks again and again, unless the server ends meanwhile."""
        for _ in range(GLANCES):
            if holds():
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(GLANCE_SECONDS)
                break
        raise AssertionError(
            f"{holds.__name__}: not in {START_SECONDS} s, or it has ended; its last words:\n{self.last_words()}"
        )

    def last_words(self) -> str:
        """The end of the server's log."""
        return (self.ground / "log").read_text(errors="replace")[-4000:]

    def greets(self) -> bool:
        """Whether it answers a connection as an SMTP server does."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection((HOST, self.port), timeout=5) as connection,
        ):
            return connection.recv(4) in (b"220 ", b"220-")
        return False

    def listens(self) -> bool:
        """Whether it takes a connection."""
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=5):
            return True
        return False


@contextmanager
def running(recipe: Recipe, ground: Path) -> Iterator[Daemon]:
    """The server, started; ended with all its processes. Skips the test where it cannot be had."""
    require(recipe.program)
    port = free_port()
    copies = []
    for number, (path, content) in enumerate(recipe.files(port).items()):
        (ground / f"file{number}").write_text(content)
        copies.append(f"mkdir -p {Path(path).parent}; install -m 644 /srv/file{number} {path}")
    daemon = Daemon(enclosed(ground, "\n".join((*copies, recipe.script))), ground, port)
    try:
        yield daemon
    finally:
        daemon.process.kill()
        daemon.process.wait()
