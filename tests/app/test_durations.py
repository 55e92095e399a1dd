"""Durations are read as they are written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.app.durations import format_duration, parse_duration


@given(st.timedeltas(timedelta(0), timedelta(days=10_000)))
def test_what_is_formatted_is_read_back(duration: timedelta) -> None:
    """Every duration, to the microsecond, survives being written and read."""
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    "text, seconds",
    [("500ms", 0.5), ("10s", 10), ("0s", 0), ("1.5h", 5400), ("5m", 300), (" 2 d ", 172_800)],
)
def test_a_number_and_a_unit_are_a_duration(text: str, seconds: float) -> None:
    """Each unit means what it says; a fraction and a space are allowed."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "5 weeks", "-5s", "5s5m", "s", "1e3s", "٣s", "5S", "999999999999999d"]
)
def test_anything_else_is_refused(text: str) -> None:
    """A bare number does not say of what; no other text is guessed at."""
    with pytest.raises(ValueError, match=r"duration|calendar"):
        parse_duration(text)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """There is no third way out."""
    try:
        taken = parse_duration(text)
    except ValueError:
        taken = None
    assert taken is None or taken >= timedelta(0)
