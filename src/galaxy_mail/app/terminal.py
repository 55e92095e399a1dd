"""What a person reads: aligned tables, instants and durations for the eye, colour only where a terminal shows it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TextIO

from galaxy_mail.app.durations import format_duration

NOTHING = "–"
GAP = "  "

_COLOURS = {"sent": 32, "accepted": 32, "retrying": 33, "open": 33, "dead_lettered": 31, "refused": 31} | {
    "WARN": 33,
    "BAD": 31,
    "BROKEN": 31,
}
_STATE = re.compile(r"\b(" + "|".join(_COLOURS) + r")\b")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines in which every column begins at one place; the last column is not padded."""
    lines = [tuple(heads), *map(tuple, rows)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return [GAP.join(map(_padded, line, widths)).rstrip() for line in lines]


def width(text: str) -> int:
    """How many cells of a terminal ``text`` takes (Unicode annex 11; marks that combine take none)."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _padded(text: str, cells: int) -> str:
    return text + " " * (cells - width(text))


def instant(at: datetime | None) -> str:
    """To the second, in UTC."""
    return NOTHING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def span(duration: timedelta) -> str:
    """A measured duration, to the millisecond."""
    return format_duration(timedelta(milliseconds=round(duration / timedelta(milliseconds=1))))


def shows_colour(stream: TextIO) -> bool:
    """Whether colour is welcome there: a terminal that is not dumb, and no ``NO_COLOR`` (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(line: str, stream: TextIO) -> str:
    """The line with the names of states coloured, if the stream shows colour. Do it last: colour has no width."""
    if not shows_colour(stream):
        return line
    return _STATE.sub(lambda found: f"\x1b[{_COLOURS[found[1]]}m{found[1]}\x1b[0m", line)
