"""The demo writes into a folder of its own and touches nothing that it did not make."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.app.demo.folder import Folder, slug
from galaxy_mail.app.demo.inbox import Arrival
from galaxy_mail.domain.errors import InvalidInput


def test_a_second_demo_clears_away_the_mails_of_the_first(tmp_path: Path) -> None:
    """Its own files and no others; the server's data stay."""
    folder = Folder(tmp_path / "new" / "demo")
    folder.prepare()
    folder.keep(1, Arrival(("ada@example.org",), b"Subject: x\r\n\r\n"))
    (folder.root / "mine.txt").write_text("keep me")
    folder.postgres.mkdir()
    folder.prepare()
    assert sorted(path.name for path in folder.root.iterdir()) == [
        "about.txt",
        "demo.log",
        "mails",
        "mine.txt",
        "postgres",
    ]
    assert list(folder.mails.iterdir()) == []


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    """``--out ~`` must not delete the mails of a person."""
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "mine.eml").write_text("dear")
    with pytest.raises(InvalidInput, match="choose another folder"):
        Folder(tmp_path).prepare()
    assert (tmp_path / "mails" / "mine.eml").read_text() == "dear"


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    """It names the place and the way out."""
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="--out"):
        Folder(tmp_path / "file" / "demo").prepare()


def test_a_mail_is_kept_octet_for_octet_under_a_telling_name(tmp_path: Path) -> None:
    """Its number, who has it and what it is about, decoded."""
    subject = "=?utf-8?q?Gr=C3=BC=C3=9Fe?= an alle"
    octets = f"Subject: {subject}\r\n\r\nhello\r\n".encode()
    folder = Folder(tmp_path / "demo")
    folder.prepare()
    path = folder.keep(7, Arrival(("ada@example.org", "joan@example.org"), octets))
    assert path.name == "07-ada-example-org-grusse-an-alle.eml"
    assert path.read_bytes() == octets
    assert (
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)["Subject"] == "Grüße an alle"
    )


@given(st.text())
def test_a_slug_is_a_plain_file_name(text: str) -> None:
    """Whatever the subject: letters, digits and hyphens, never empty, never a path."""
    assert slug(text).replace("-", "").isalnum()
    assert slug(text).isascii()
    assert slug(slug(text)) == slug(text)
