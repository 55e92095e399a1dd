"""A lock file is read whatever part of it has been written, and its process number is believed only with proof."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.embedded_postgres import postmaster

WHOLE = "4711\n/data\n1763956000\n5433\n\n127.0.0.1\n  9371   3\nready   \n"


def read(text: str) -> postmaster.Postmaster | None:
    """What the lock file says when it holds this text."""
    return postmaster.parse(Path("/data"), text)


def test_a_whole_file_is_understood() -> None:
    """Number, port and status are in their lines (pidfile.h)."""
    seen = read(WHOLE)
    assert seen is not None
    assert (seen.pid, seen.port, seen.status, seen.is_ready) == (4711, 5433, "ready", True)


@given(length=st.integers(0, WHOLE.index("ready") + 4))
def test_half_a_file_is_never_ready(length: int) -> None:
    """Cut anywhere before the status is complete, the file is read without an error and the server is not yet ready."""
    seen = read(WHOLE[:length])
    assert seen is None or not seen.is_ready


@given(text=st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    """Whatever stands in the file, reading it gives a server or None."""
    seen = read(text)
    assert seen is None or seen.pid >= 0


def test_no_file_no_server(tmp_path: Path) -> None:
    """Without a lock file there is no server."""
    assert postmaster.read(tmp_path) is None


def test_a_number_alone_proves_nothing(tmp_path: Path) -> None:
    """A living process that is not this directory's server does not count as one."""
    me = postmaster.Postmaster(tmp_path, pid=os.getpid(), port=1, status="ready")
    assert not me.is_alive
