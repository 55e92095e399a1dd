"""What a person reads is aligned, and coloured only where that is welcome."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.app.terminal import coloured, instant, span, table, width

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal that shows colour."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[CELLS] * n), min_size=1, max_size=6)))
def test_every_column_begins_at_one_place(rows: list[tuple[str, ...]]) -> None:
    """Whatever letters the cells hold, each cell is found where its column begins, counted in cells of the terminal."""
    lines = table(rows[0], rows[1:])
    starts = [0]
    for column in list(zip(*rows, strict=True))[:-1]:
        starts.append(starts[-1] + max(map(width, column)) + 2)
    for line, row in zip(lines, rows, strict=True):
        for start, cell in zip(starts, row, strict=True):
            places = (at for at in range(len(line) + 1) if width(line[:at]) == start)
            assert any(line[at:].startswith(cell) for at in places)


def test_wide_and_combining_letters_are_measured() -> None:
    """A wide letter takes two cells, a mark that combines none."""
    assert (width("ascii"), width("漢字"), width("é"), width("e\u0301")) == (5, 4, 1, 1)


def test_instants_are_shown_in_utc() -> None:
    """Whatever their zone."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert (instant(moment), instant(moment.astimezone(UTC)), instant(None)) == (
        "2026-01-02 01:04:05Z",
        "2026-01-02 01:04:05Z",
        "–",
    )


@pytest.mark.parametrize("seconds, shown", [(0.0123456, "12ms"), (2, "2s"), (0, "0s"), (90.5, "90500ms")])
def test_durations_are_shown_to_the_millisecond(seconds: float, shown: str) -> None:
    """Nobody reads microseconds."""
    assert span(timedelta(seconds=seconds)) == shown


def test_states_are_coloured_on_a_terminal(terminal: Terminal) -> None:
    """Whole words only."""
    assert coloured("1 sent, unsent", terminal) == "1 \x1b[32msent\x1b[0m, unsent"


def test_there_is_no_colour_elsewhere(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a pipe or a file, not with NO_COLOR, not on a dumb terminal."""
    assert coloured("sent", io.StringIO()) == "sent"
    monkeypatch.setenv("TERM", "dumb")
    assert coloured("sent", terminal) == "sent"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured("sent", terminal) == "sent"
