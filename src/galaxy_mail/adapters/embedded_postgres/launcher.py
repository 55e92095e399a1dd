"""Runs one command as nobody in particular, and ends it when whoever started us is gone.

A program of its own, started as ``python -I -S launcher.py ROUTE COMMAND…`` (see `privileges`), for two reasons. PostgreSQL
refuses to run as root, and what must happen between fork and exec is safe only in a process without threads. And a
server must not outlive the program that embeds it, however that ends: our standard input is a pipe from there, and its
end of file is the news. (PR_SET_PDEATHSIG alone would not do: it fires when the *thread* that started us ends.)

Imports nothing of galaxy_mail: nothing may be loaded once the privileges are gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path

REFUSED = 77  # exit code: the kernel or its keeper does not allow this route
CLONE_NEWUSER = 0x10000000  # sched.h
PR_SET_PDEATHSIG = 1  # sys/prctl.h
PR_SET_CHILD_SUBREAPER = 36  # sys/prctl.h
PATIENCE = 20.0  # seconds that a fast shutdown may take before an immediate one
STDIN = 0


def become(route: str) -> None:
    """Take the route: ``self`` (as is), ``namespace:UID:GID`` or ``user:UID:GID``.

    Raises:
        OSError: the kernel refuses.
    """
    name, _, ids = route.partition(":")
    if name == "self":
        return
    uid, gid = (int(number) for number in ids.split(":"))
    if name == "namespace":
        enter_namespace(uid, gid)
    else:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def enter_namespace(uid: int, gid: int) -> None:
    """Go on in a user namespace where we, and nobody else, are called ``uid`` (user_namespaces(7)).

    Files keep their owner, so nothing has to be copied or handed over; every capability outside is gone.
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def prctl(option: int, value: int) -> None:
    """Ask Linux for something nice to have; other systems do without."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def start(command: list[str]) -> tuple[int, int]:
    """Start the command; return its pid and a file descriptor that reads end of file once all its processes are gone."""
    launcher = os.getpid()
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a killed server leaves behind is ours to bury
    lifeline, held_by_child = os.pipe()
    child = os.fork()
    if child:
        os.close(held_by_child)
        return child, lifeline
    try:
        os.set_inheritable(held_by_child, True)
        os.dup2(os.open(os.devnull, os.O_RDONLY), STDIN)
        prctl(PR_SET_PDEATHSIG, signal.SIGINT)  # a fast shutdown if the launcher itself is killed
        if os.getppid() == launcher:
            os.execv(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    os._exit(127)


def watch(child: int, lifeline: int) -> int:
    """Wait until the command has ended, or end it once standard input closes; return its exit code."""
    readable, _, _ = select.select([STDIN, lifeline], [], [])
    if lifeline not in readable:
        for ending in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, now (pg_ctl(1))
            os.kill(child, ending)
            if select.select([lifeline], [], [], PATIENCE)[0]:
                break
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    bury_orphans()
    return code


def bury_orphans() -> None:
    """Reap what the command's death left to us; its last moments may take a moment."""
    with contextlib.suppress(ChildProcessError):
        for _ in range(100):
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.001)


def main(arguments: list[str]) -> int:
    """Take the route and, if a command follows, run it; without one say by the exit code whether the route is open."""
    route, *command = arguments
    try:
        become(route)
    except OSError as error:
        print(f"{route}: {error.strerror}", file=sys.stderr)
        return REFUSED
    return abs(watch(*start(command))) if command else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
