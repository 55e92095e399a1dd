"""The data of a person's own server is in a place of their own, or nowhere."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from galaxy_mail.app import data_folder as module
from galaxy_mail.app.data_folder import data_folder, places
from galaxy_mail.domain.errors import EmbeddedServerError


@pytest.mark.parametrize(
    "environ, account, platform, expected",
    [
        ({"HOME": "/h"}, "/a", "linux", ["/h/.local/share/galaxy_mail"]),
        ({"HOME": "/h"}, "/a", "darwin", ["/h/Library/Application Support/galaxy_mail"]),
        (
            {"HOME": "/h", "XDG_DATA_HOME": "/x"},
            "",
            "linux",
            ["/x/galaxy_mail", "/h/.local/share/galaxy_mail"],
        ),
        ({"HOME": "/h", "XDG_DATA_HOME": "x"}, "", "linux", ["/h/.local/share/galaxy_mail"]),
        ({}, "/a", "linux", ["/a/.local/share/galaxy_mail"]),
        ({"HOME": ""}, "/a", "linux", ["/a/.local/share/galaxy_mail"]),
        ({"HOME": "relative"}, "/a", "linux", []),
        ({}, "", "linux", []),
    ],
)
def test_the_customs_of_the_platform_are_followed(
    environ: dict[str, str], account: str, platform: str, expected: list[str]
) -> None:
    """XDG_DATA_HOME first, then HOME, then the account's home; what is not absolute is passed over."""
    assert list(map(str, places(environ, account, platform))) == expected


def test_the_chosen_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """GALAXY_MAIL_HOME wins over everything, and nobody else can look into it."""
    chosen = tmp_path / "deep" / "mail"
    assert data_folder({"GALAXY_MAIL_HOME": str(chosen), "HOME": "/nowhere"}) == chosen
    assert chosen.stat().st_mode & 0o777 == 0o700
    assert data_folder({"GALAXY_MAIL_HOME": str(chosen)}) == chosen


def test_a_chosen_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """No other one takes its place: the data would be somewhere unexpected."""
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerError, match="GALAXY_MAIL_HOME"):
        data_folder({"GALAXY_MAIL_HOME": str(tmp_path / "file" / "mail")})


def test_a_home_is_used_where_there_is_one(tmp_path: Path) -> None:
    """The usual case."""
    assert data_folder({"HOME": str(tmp_path)}) == tmp_path / ".local/share/galaxy_mail"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folder for accounts without a home will be; the home of this account is out of reach."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module, "_account_home", lambda: "/proc/nonexistent")
    return tmp_path / f"galaxy_mail-{os.getuid()}"


@pytest.mark.parametrize("environ", [{}, {"HOME": "/proc/nonexistent"}, {"HOME": "/dev/null"}])
def test_an_account_without_a_home_gets_a_temporary_folder(temporary: Path, environ: dict[str, str]) -> None:
    """HOME may be missing, not exist or be no folder: there is a folder all the same, private to the account."""
    assert data_folder(environ) == temporary
    assert temporary.stat().st_mode & 0o777 == 0o700


def test_a_temporary_folder_that_others_can_open_is_refused(temporary: Path) -> None:
    """Its name can be guessed: somebody may have made it before us, to read along."""
    temporary.mkdir(mode=0o700)
    temporary.chmod(0o755)
    with pytest.raises(EmbeddedServerError, match="not yours alone"):
        data_folder({})


def test_a_temporary_folder_that_is_a_link_is_refused(temporary: Path, tmp_path: Path) -> None:
    """A link may lead anywhere."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    temporary.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EmbeddedServerError, match="not yours alone"):
        data_folder({})
