"""A data directory has its name only once it is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from galaxy_mail.adapters.embedded_postgres import EmbeddedPostgres
from galaxy_mail.adapters.embedded_postgres.cluster import Cluster
from galaxy_mail.domain.errors import EmbeddedServerError


def test_a_making_that_was_cut_short_begins_anew(tmp_path: Path) -> None:
    """What a killed initdb left behind is thrown away, and the folder serves."""
    (tmp_path / "pgdata.unfinished" / "base").mkdir(parents=True)
    server = EmbeddedPostgres(tmp_path, fsync=False)
    with server:
        assert server.pid > 0
    assert not (tmp_path / "pgdata.unfinished").exists()
    server.remove()


def test_a_failed_making_is_told_with_its_words(tmp_path: Path) -> None:
    """The words of initdb are in the error, and no data directory pretends to exist."""
    for name, code in {
        "postgres": "echo 'postgres (PostgreSQL) 18.6'",
        "initdb": "echo 'no room' >&2; exit 3",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{code}\n")
        (tmp_path / name).chmod(0o755)
    server = EmbeddedPostgres(tmp_path / "data", folders=[tmp_path])
    with pytest.raises(EmbeddedServerError, match="initdb failed with exit code 3; it said:\nno room"):
        server.start()
    assert Cluster(tmp_path / "data").major is None


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The system's refusal becomes our error, with the path in it."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EmbeddedServerError, match="file"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


def test_a_lost_password_is_told(tmp_path: Path) -> None:
    """Without its password file the database cannot be opened, and the error says which file is missing."""
    with pytest.raises(EmbeddedServerError, match="password: No such file"):
        _ = Cluster(tmp_path).password


def test_the_password_is_the_owners_alone(tmp_path: Path) -> None:
    """The password file can be read by nobody else, and so can the folder around it."""
    server = EmbeddedPostgres(tmp_path / "data", fsync=False)
    with server:
        assert (tmp_path / "data" / "password").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    server.remove()
