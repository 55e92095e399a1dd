"""Hostile text in every setting, wherever it is written: all problems at once, none with its value, in lines of ours."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from galaxy_mail.app import MailSettings
from galaxy_mail.app.settings_sources import (
    PREFIX,
    Source,
    from_environment,
    from_flags,
    from_table,
    settings_from,
)
from galaxy_mail.app.settings_values import readers
from galaxy_mail.domain.errors import InvalidSettings
from tests.bad_input.hostile import CLASSES, MARK

NAMES = tuple(readers())
TEXTS = [text for name in CLASSES for text in CLASSES[name]]
SHOWN = {"template_dirs", "verdicts"}  # their errors name the path, or the word: no secret is kept there


def file(name: str, text: str) -> Source:
    """A TOML file that says so."""
    quoted = json.dumps(text.encode("utf-8", "replace").decode()).replace("\\ud", "?").replace("\x7f", "")
    return from_table(tomllib.loads(f"{name} = {quoted}"), Path("/etc/mail.toml"))


WAYS: dict[str, Callable[[str, str], Source]] = {
    "a flag": lambda name, text: from_flags({name: text}),
    "--set": lambda name, text: from_flags({}, [(name, text)]),
    "a variable": lambda name, text: from_environment({PREFIX + name.upper(): text}),
    "a file": file,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", WAYS)
def test_hostile_text_is_a_setting_or_a_named_problem(way: str, name: str) -> None:
    """By the name of the setting and in printable lines; the value is repeated only where it is a path or a word."""
    for text in TEXTS:
        told = problems(WAYS[way](name, f"{MARK}{text}"))
        assert all(name in problem for problem in told)
        assert name in SHOWN or MARK not in "".join(told)
        assert all(problem.isprintable() for problem in told)


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_is_no_setting_is_told_in_one_line(way: str) -> None:
    """Whatever stands in it."""
    for text in TEXTS if way != "a file" else ["\\u001b[2J", "\\n"]:
        told = problems(WAYS[way](f'"x{text}"', "1"))
        assert all(problem.isprintable() for problem in told)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """A hostile value in every setting: a problem for each, in one error."""
    told = problems(from_environment({PREFIX + name.upper(): f"{MARK}\x1b\n" for name in NAMES}))
    assert {problem.partition(" ")[0].rstrip(":") for problem in told} == set(NAMES)


def problems(source: Source) -> tuple[str, ...]:
    """What is said of the settings that this source makes; nothing if they are good."""
    try:
        assert isinstance(settings_from([source], needed=()), MailSettings)
    except InvalidSettings as refused:
        return refused.problems
    return ()
