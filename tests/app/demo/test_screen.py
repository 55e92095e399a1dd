"""The demo's screen: a line at the bottom on a terminal, plain lines in a pipe."""

from __future__ import annotations

import io

import pytest

from galaxy_mail.app.demo.screen import CLEAR, Screen
from tests.app.test_terminal import Terminal


def tell(screen: Screen) -> None:
    """A short story."""
    screen.say("begins")
    screen.show("1 left")
    screen.show("1 left")
    screen.say("a mail came")
    screen.show("0 left")
    screen.close()
    screen.say("ends")


def test_a_pipe_gets_plain_lines() -> None:
    """Each change once, no control character."""
    pipe = io.StringIO()
    tell(Screen(pipe))
    assert pipe.getvalue() == "begins\n1 left\na mail came\n0 left\nends\n"


def test_a_terminal_has_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that stay are written above it, and in the end it is gone."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    tell(Screen(terminal))
    assert terminal.getvalue() == (
        f"begins\n{CLEAR}1 left{CLEAR}a mail came\n1 left{CLEAR}0 left{CLEAR}ends\n"
    )


def test_the_line_for_scripts_has_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal too it is JSON and nothing else."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    Screen(terminal).say('{"sent": 1}', colour=False)
    assert terminal.getvalue() == '{"sent": 1}\n'
