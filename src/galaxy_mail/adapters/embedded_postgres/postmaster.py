"""What a data directory says of its server: the file postmaster.pid (PostgreSQL, src/include/utils/pidfile.h)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import attrs

STATUS_LINE = 7  # counted from 0; absent until the server has said for the first time how it is


@attrs.frozen
class Postmaster:
    """One server process, as its lock file tells. ``status`` is starting, ready, standby, stopping or empty."""

    pgdata: Path
    pid: int
    port: int
    status: str

    @property
    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        return self.status == "ready"

    @property
    def is_alive(self) -> bool:
        """Whether the process exists and is the server of this data directory.

        Process numbers come again, in a restarted container within seconds, so the number alone proves nothing; but a
        server's working directory is its data directory.
        """
        if Path("/proc/self/cwd").exists():
            try:
                return Path(f"/proc/{self.pid}/cwd").readlink() == self.pgdata.resolve()
            except OSError:  # gone, or another user's
                return False
        ps = ["/bin/ps", "-o", "comm=", "-p", str(self.pid)]
        return "postgres" in subprocess.run(ps, capture_output=True, text=True, check=False).stdout


def read(pgdata: Path) -> Postmaster | None:
    """What the lock file says, or None while there is none or it is being written."""
    try:
        return parse(pgdata, (pgdata / "postmaster.pid").read_text())
    except FileNotFoundError:
        return None


def parse(pgdata: Path, text: str) -> Postmaster | None:
    """What the text of a lock file says, or None when it is not (yet) one."""
    lines = text.splitlines()
    status = lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else ""
    try:
        return Postmaster(pgdata, pid=abs(int(lines[0])), port=int(lines[3]), status=status)
    except (IndexError, ValueError):
        return None


def forget_dead(pgdata: Path) -> None:
    """Remove the lock file of a server that was killed, if its number now belongs to another program.

    PostgreSQL removes a stale lock by itself where the number is free; where it is taken it can only refuse to start.
    """
    claimed = read(pgdata)
    if claimed is not None and _is_taken(claimed.pid) and not claimed.is_alive:
        (pgdata / "postmaster.pid").unlink(missing_ok=True)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; that the process is gone already is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_taken(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
