"""Reading one setting from text (a flag, a variable) or from a TOML value, by the type of its field in MailSettings.

A reader raises ``ValueError`` with what is expected, and never repeats what it was given: that might be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import TypeAlias, get_type_hints

from galaxy_mail.app.durations import EXAMPLES, parse_duration
from galaxy_mail.app.settings import MailSettings

Reader: TypeAlias = Callable[[object], object]

_SWITCH = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)


@cache
def readers() -> Mapping[str, Reader]:
    """For each field of MailSettings, what reads it from text or from a TOML value."""
    return {name: _reader(hint) for name, hint in _hints().items()}


@cache
def path_fields() -> frozenset[str]:
    """The fields that hold a path, or a list of them."""
    return frozenset(name for name, hint in _hints().items() if "Path" in str(hint))


def _hints() -> Mapping[str, object]:
    return get_type_hints(MailSettings)


def kinds() -> Mapping[str, str]:
    """For each field, in a word, what it holds."""
    words: dict[Reader, str] = {
        _switch: "`true` or `false`",
        _whole: "number",
        _number: "number",
        _duration: "duration",
        _texts: "list",
    }
    return {name: words.get(read, "text") for name, read in readers().items()}


def _reader(hint: object) -> Reader:
    plain: dict[object, Reader] = {bool: _switch, int: _whole, float: _number, timedelta: _duration}
    return plain.get(hint) or (_texts if "Sequence" in str(hint) else _text)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ValueError("must be a list")
    return tuple(stripped for item in items if (stripped := _text(item).strip()))


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r" *[+-]?[0-9]{1,18} *", value):
        return int(value)
    raise ValueError("must be a whole number")


def _number(value: object) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("must be a number")


def _switch(value: object) -> bool:
    if isinstance(value, str):
        value = _SWITCH.get(value.strip().lower())
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError(f"must be a duration such as {EXAMPLES}, as text")
    return parse_duration(value)
