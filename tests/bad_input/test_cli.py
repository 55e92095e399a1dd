"""Hostile text on the command line: done, or one line that says what is wrong, without the text and without a traceback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.app.cli.conftest import Cli, Ran
from tests.bad_input.hostile import CLASSES, MARK

CODE = ("--var", "minutes=5", "--var", "expires_in=5 minutes", "--secret", "code=493817")
SEND = ("send", "login_code", "--to", "ada@example.org", *CODE)

# What the shell hands on holds no NUL; an octet that is no UTF-8 comes as a lone surrogate.
TEXTS = {
    name: [f"{MARK}{text}" for text in CLASSES[name][:: len(CLASSES[name]) // 2] if "\0" not in text]
    for name in CLASSES
}

Arguments = Callable[[str], tuple[str, ...]]
OPTIONS: dict[str, Arguments] = {
    "send --to": lambda text: (*SEND, f"--to={text}"),
    "send --cc": lambda text: (*SEND, f"--cc={text} <eve@example.org>"),
    "send --var": lambda text: (*SEND, f"--var={text}={text}"),
    "send --secret": lambda text: (*SEND, f"--secret=code={text}"),
    "send --key": lambda text: (*SEND, f"--key={text}"),
    "send --ttl": lambda text: (*SEND, f"--ttl={text}"),
    "send --send-at": lambda text: (*SEND, f"--send-at={text}"),
    "send --lane": lambda text: (*SEND, f"--lane={text}"),
    "list --template": lambda text: ("list", f"--template={text}"),
    "list --recipient": lambda text: ("list", f"--recipient={text}"),
    "list --limit": lambda text: ("list", f"--limit={text}"),
    "show": lambda text: ("show", text),
    "resend --by": lambda text: ("resend", "00000000-0000-7000-8000-000000000000", f"--by={text}"),
    "purge --older-than": lambda text: ("purge", f"--older-than={text}"),
}
QUOTED = {"send --lane", "list --limit"}  # a word of a few, or a number: argparse quotes it, escaped


@pytest.mark.parametrize("option", OPTIONS)
def test_hostile_text_is_told_in_one_line_or_done(ready: Cli, option: str) -> None:
    """0; or 1 or 2 and a line of ours, in which no text of the caller's can move a cursor or show a secret."""
    for texts in TEXTS.values():
        for text in texts:
            ran = ready(*OPTIONS[option](text))
            check(ran)
            assert option in QUOTED or MARK not in ran.err


def check(ran: Ran) -> None:
    """What every call of the command line fulfils."""
    assert ran.code in (0, 1, 2)
    assert "the store failed" not in ran.err
    assert "Traceback" not in ran.err
    assert (ran.code == 0) == (ran.err == "")
    assert ran.err.replace("\n", "").isprintable()
    assert ran.code != 1 or len(ran.err.splitlines()) == 1
