"""The server itself: start, stop, crash, restart."""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Self

from galaxy_mail.adapters.embedded_postgres import binaries, loopback, postmaster, privileges
from galaxy_mail.adapters.embedded_postgres.cluster import SUPERUSER, Cluster
from galaxy_mail.adapters.embedded_postgres.postmaster import Postmaster
from galaxy_mail.adapters.embedded_postgres.privileges import Identity
from galaxy_mail.domain.errors import EmbeddedServerError

START_SECONDS = 60.0  # recovery after a crash included
STOP_SECONDS = 60.0  # the launcher itself turns to harder means before
GLANCE_SECONDS = 0.01

# What a start may meet while the processes of a killed server are still going away, or after a port was lost in a race.
PASSING_FAULTS = ("is still in use", "lock file", "could not bind", "could not create any TCP/IP sockets")

SETTINGS = {
    "listen_addresses": loopback.HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# synchronous_commit stays: a killed server loses nothing.
NO_FSYNC = {"fsync": "off", "full_page_writes": "off"}

logger = logging.getLogger("galaxy_mail.embedded_postgres")


class Shutdown(Enum):
    """How a server ends: the signal that does it (pg_ctl(1))."""

    FAST = signal.SIGINT  # roll back what is open, write everything, exit
    IMMEDIATE = signal.SIGQUIT  # exit; the next start recovers
    KILL = signal.SIGKILL  # as a machine that loses power, except that the disk keeps what was written


class EmbeddedPostgres:
    """A PostgreSQL server of our own, for as long as this object's ``with`` block or process lives.

    It listens on 127.0.0.1 alone, on a port that was free, and asks for a random password (SCRAM): on a machine with
    several users a socket in a shared folder would be open to all of them, and so would a port without a password. As
    root it runs without root's privileges (see `privileges`).

    Blocking: in a coroutine call ``await asyncio.to_thread(server.start)``.

    Args:
        folder: holds the data, kept between starts (see `cluster`); made if missing. One folder, one server: where
            another process runs it already, `start` joins that one, and only the process that started it stops it.
        fsync: off, a crash of the machine (not of the server) may ruin the data: for tests.
        settings: further server settings, as in postgresql.conf.
        folders: where to look for PostgreSQL's programs, instead of the wheel and the system.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        fsync: bool = True,
        settings: Mapping[str, str] | None = None,
        folders: Sequence[Path] | None = None,
    ) -> None:
        self._cluster = Cluster(Path(folder).absolute())
        self._fsync = fsync
        self._settings = dict(settings or {})
        self._folders = folders
        self._launcher: subprocess.Popen[bytes] | None = None
        self._postmaster: Postmaster | None = None
        self._port = 0

    def __repr__(self) -> str:
        state = f"port {self._postmaster.port}" if self._postmaster else "stopped"
        return f"<EmbeddedPostgres in {self._cluster.folder}, {state}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """The address of the running server, password included. It stays the same over `restart`."""
        port = self._running().port
        return f"postgresql://{SUPERUSER}:{self._cluster.password}@{loopback.HOST}:{port}/postgres?sslmode=disable"

    @property
    def pid(self) -> int:
        """The number of the server's first process."""
        return self._running().pid

    @property
    def log(self) -> Path:
        """The file that holds what the server said, over all starts."""
        return self._cluster.log

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it accepts connections.

        Raises:
            EmbeddedServerError: no usable PostgreSQL, or it does not start; with the end of its log.
        """
        try:
            with self._cluster.locked():
                self._postmaster = self._join() or self._launch()
        except OSError as error:
            raise EmbeddedServerError(
                f"{error.filename or self._cluster.folder}: {error.strerror}"
            ) from error

    def stop(self, how: Shutdown = Shutdown.FAST) -> None:
        """Stop the server and wait until its last process is gone. A server that another process started goes on."""
        launcher, running = self._launcher, self._postmaster
        self._launcher = self._postmaster = None
        if launcher is None or launcher.stdin is None:
            return
        if how is not Shutdown.FAST and running is not None:
            postmaster.send(running.pid, how.value)
        else:
            launcher.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            launcher.wait(STOP_SECONDS)
        launcher.stdin.close()

    def restart(self, how: Shutdown = Shutdown.FAST) -> None:
        """Stop and start again, on the same port."""
        self.stop(how)
        self.start()

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        with self._cluster.locked():
            self._cluster.remove()

    def _running(self) -> Postmaster:
        if self._postmaster is None:
            raise EmbeddedServerError("the embedded PostgreSQL is not running: call start() first")
        return self._postmaster

    def _join(self) -> Postmaster | None:
        """The server that runs here already, once it is ready; None when there is none, or it is on its way out."""
        pgdata = self._cluster.pgdata
        deadline = time.monotonic() + START_SECONDS
        while (running := postmaster.read(pgdata)) and running.is_alive and time.monotonic() < deadline:
            if running.is_ready and loopback.answers(running.port):
                return running
            time.sleep(GLANCE_SECONDS)
        postmaster.forget_dead(pgdata)
        return None

    def _launch(self) -> Postmaster:
        self.stop()  # what is left of one that died
        command, identity = self._prepare()
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._port = self._port or loopback.free_port()
            log_size = self.log.stat().st_size if self.log.exists() else 0
            with self.log.open("ab") as log:
                self._launcher = identity.launch([*command, "-c", f"port={self._port}"], log)
            if ready := self._wait_until_ready(self._launcher, deadline):
                logger.info(
                    "embedded PostgreSQL is ready on port %d, data in %s", ready.port, self._cluster.folder
                )
                return ready
            self.stop()
            said = self._cluster.log_tail(since=log_size)
            if time.monotonic() > deadline or not any(fault in said for fault in PASSING_FAULTS):
                raise EmbeddedServerError(f"the embedded PostgreSQL does not start; it said:\n{said}")
            if "could not bind" in said:
                self._port = 0
            time.sleep(GLANCE_SECONDS)

    def _prepare(self) -> tuple[list[str], Identity]:
        """The command that runs the server, and as whom; makes the cluster if there is none."""
        cluster = self._cluster
        identity = privileges.choose(cluster.pgdata)
        programs = binaries.find(self._folders, major=cluster.major)
        if identity.owns_elsewhere:
            programs = programs.within_reach(cluster.home(identity))
        if cluster.major is None:
            cluster.create(programs, identity, fsync=self._fsync)
        settings = SETTINGS | (NO_FSYNC if not self._fsync else {}) | self._settings
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(programs.postgres), "-D", str(cluster.pgdata.resolve()), *options], identity

    def _wait_until_ready(self, launcher: subprocess.Popen[bytes], deadline: float) -> Postmaster | None:
        """The server once it accepts connections; None if it ended before, or ran out of time."""
        while launcher.poll() is None and time.monotonic() < deadline:
            seen = postmaster.read(self._cluster.pgdata)
            if (
                seen
                and seen.port == self._port
                and seen.is_ready
                and seen.is_alive
                and loopback.answers(seen.port)
            ):
                return seen
            time.sleep(GLANCE_SECONDS)
        return None
