"""Every command that a page shows can be typed: galaxy-mail's own parser takes it, and make knows its target."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from galaxy_mail.app.cli.arguments import build_parser
from tests.docs.pages import PAGES, ROOT, Block, blocks, named, spans

SOME_ID = "0198c5a4-7d0f-7c3e-9b1a-2f6f0c1d2e3f"
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
COMMAND = re.compile(r"(?:^|[\s=/])galaxy-mail(?=\s|$)([^\n|&;>#]*)")
MAKE = re.compile(r"(?:^|\$ )make ([a-z-]+)")
LISTED = re.compile(r'\["galaxy-mail".*\]')


def commands(block: Block) -> Iterator[list[str]]:
    """The arguments of each call of galaxy-mail in a block of whatever language but Python."""
    text = block.text.replace("\\\n", " ")
    for line in text.splitlines():
        if block.language == "console" and not line.startswith("$ "):
            continue
        if listed := LISTED.search(line):
            yield json.loads(listed[0])[1:]
        elif (called := COMMAND.search(line)) and not line.lstrip().startswith(("#", "pip ", "$ pip ")):
            yield shlex.split(called[1])


def refused(arguments: list[str]) -> str | None:
    """Why the parser does not take the arguments; None if it does. Words like ID stand for a value."""
    try:
        build_parser().parse_args([SOME_ID if word == "ID" else word for word in arguments])
    except (SystemExit, argparse.ArgumentError) as error:
        return None if getattr(error, "code", 2) == 0 else "galaxy-mail " + shlex.join(arguments)
    return None


def vocabulary() -> tuple[set[str], set[str]]:
    """All commands, and all options of any of them."""
    parser = build_parser()
    (subparsers,) = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    every = [parser, *subparsers.choices.values()]
    return set(subparsers.choices), {word for each in every for word in each._option_string_actions}


def unknown(page: Path) -> set[str]:
    """Commands in running text that name something galaxy-mail does not have."""
    verbs, options = vocabulary()
    said = [span.split()[1:] for span in spans(page) if re.match(r"galaxy-mail \S", span)]
    return {
        " ".join(words)
        for words in said
        if (words[0] not in verbs and not words[0].startswith("-"))
        or {word.partition("=")[0] for word in words if word.startswith("--")} - options
    }


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_can_be_typed(page: Path) -> None:
    """galaxy-mail's parser takes each call as it is written; nothing is done."""
    calls = [
        arguments for block in blocks(page) if block.language != "python" for arguments in commands(block)
    ]
    assert [problem for problem in map(refused, calls) if problem] == []
    assert unknown(page) == set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_make_target_exists(page: Path) -> None:
    """`make` knows every target that a page names, in a block or in the text."""
    named_in_blocks = {
        target for block in blocks(page) for line in block.text.splitlines() for target in MAKE.findall(line)
    }
    named_in_text = {target for span in spans(page) for target in MAKE.findall(span)}
    assert (named_in_blocks | named_in_text) - TARGETS == set()


def test_a_wrong_command_is_found_out(tmp_path: Path) -> None:
    """The checks above are awake, for consoles, units and image files."""
    block = Block(
        tmp_path, 1, "console", "$ galaxy-mail resend ID --by ada\n$ galaxy-mail fly\ngalaxy-mail says no\n"
    )
    assert [refused(arguments) for arguments in commands(block)] == [None, "galaxy-mail fly"]
    unit = Block(tmp_path, 1, "ini", "ExecStart=/opt/app/bin/galaxy-mail worker --until-empty --fast\n")
    assert [refused(arguments) for arguments in commands(unit)] == ["galaxy-mail worker --until-empty --fast"]
    image = Block(tmp_path, 1, "dockerfile", 'CMD ["galaxy-mail", "worker", "--until-empty"]\n')
    assert [refused(arguments) for arguments in commands(image)] == [None]
    page = tmp_path / "page.md"
    page.write_text("`galaxy-mail stats`, `galaxy-mail fly`, `galaxy-mail list --colour`, `galaxy-mail`\n")
    assert unknown(page) == {"fly", "list --colour"}
