"""The demo as a person runs it: once, again, and what is there to open afterwards."""

from __future__ import annotations

import email
import email.policy
import json
import os
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from galaxy_mail.app.demo import run_demo, scenario
from tests.app.cli.conftest import COMMAND
from tests.app.test_terminal import Terminal


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo, in a folder, with its output in a pipe."""
    command = [*COMMAND, "demo", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[subprocess.CompletedProcess[str]]]:
    """A folder in which it ran twice in a row."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, [run(folder), run(folder)]


Ran = tuple[Path, list[subprocess.CompletedProcess[str]]]


def mails(folder: Path) -> list[EmailMessage]:
    """The received mails, as an independent parser reads them."""
    paths = sorted((folder / "demo-output" / "mails").glob("*.eml"))
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]


def test_it_adds_up_each_time_and_ends_with_one_line_of_json(ran: Ran) -> None:
    """Five mails ordered, four sent, one dead; a copy for each recipient, nothing lost, nothing twice; and again."""
    for demo in ran[1]:
        assert (demo.returncode, demo.stderr) == (0, ""), demo.stdout
        figures = json.loads(demo.stdout.splitlines()[-1])
        assert figures.pop("seconds") > 0
        assert figures == {
            "enqueued": 5,
            "sent": 4,
            "dead_lettered": 1,
            "copies_received": 6,
            "lost": 0,
            "duplicates": 0,
        }


def test_a_pipe_gets_plain_lines_that_tell_each_mail(ran: Ran) -> None:
    """No control character; the greylisted, the refused and the rolled back are told."""
    for demo in ran[1]:
        assert "\x1b" not in demo.stdout
        assert "\r" not in demo.stdout
        for words in (
            "450 4.2.0",
            "550 5.1.1",
            "rolled back: 0 copies",
            "The administrator has a mail",
            "0.5 s",
        ):
            assert words in demo.stdout


def test_the_mails_can_be_opened(ran: Ran) -> None:
    """One file for each message that the inbox took in, without defects, with its decoded subject."""
    received = mails(ran[0])
    subjects = sorted(str(mail["Subject"]) for mail in received)
    assert len(received) == 5
    assert [mail.defects for mail in received] == [[]] * 5
    assert "Willkommen, Zoë – schöne Grüße aus der Galaxie ✨" in subjects
    assert any("dead-lettered" in subject for subject in subjects)


def test_one_can_look_around_afterwards(ran: Ran) -> None:
    """The command that the demo proposes shows the five deliveries of the last run."""
    (hint,) = [line for line in ran[1][-1].stdout.splitlines() if line.startswith("Look around")]
    variable, value = hint.split(": ", 1)[1].split()[0].split("=")
    kept = {name: set_to for name, set_to in os.environ.items() if not name.startswith("GALAXY_MAIL_")}
    environ = kept | {variable: value}
    command = [*COMMAND, "list", "--json"]
    listed = subprocess.run(command, cwd=ran[0], env=environ, capture_output=True, text=True, check=True)
    assert len(json.loads(listed.stdout)["deliveries"]) == 5


def test_no_mail_names_its_blind_copies(ran: Ran) -> None:
    """No Bcc header, and the hidden address is nowhere in any mail."""
    folder = ran[0] / "demo-output" / "mails"
    assert [mail["Bcc"] for mail in mails(ran[0])] == [None] * 5
    assert not any(b"archive@example.org" in path.read_bytes() for path in folder.iterdir())


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """The demo refuses it in one line, before it starts anything."""
    (tmp_path / "mine.txt").write_text("mine")
    refused = run(tmp_path, "--out", str(tmp_path))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("galaxy-mail: out: ")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


async def test_what_does_not_add_up_is_said_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inbox that accepts whom it should refuse: the figures tell it as it was, in plain JSON on a terminal too."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(scenario, "ALWAYS", {})
    assert await run_demo(tmp_path / "out") == 1
    shown = terminal.getvalue()
    assert "does not add up: reminder to nobody: \x1b[32msent\x1b[0m after 1 attempts" in shown
    figures = json.loads(shown.splitlines()[-1])
    assert (figures["sent"], figures["dead_lettered"], figures["copies_received"], figures["lost"]) == (
        5,
        0,
        7,
        0,
    )
