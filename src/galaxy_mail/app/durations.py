"""Durations as people write them: one number and one unit, ``500ms``, ``10s``, ``5m``, ``1h``, ``5d``."""

from __future__ import annotations

import re
from datetime import timedelta

EXAMPLES = "500ms, 10s, 5m, 1h or 5d"

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION = re.compile(r"([0-9]{1,15})(\.[0-9]{1,6})? ?(ms|s|m|h|d)")


def parse_duration(text: str) -> timedelta:
    """The duration that ``text`` names.

    Raises:
        ValueError: for anything else, a bare number included: it does not say of what.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"must be a duration such as {EXAMPLES}")
    whole, fraction, unit = found.groups(default="")
    try:
        return int(whole) * _UNITS[unit] + float(fraction or 0) * _UNITS[unit]
    except OverflowError:
        raise ValueError("is longer than any calendar") from None


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back, to the microsecond."""
    for name, unit in _UNITS.items():
        if duration % unit == timedelta(0) and (duration or name == "s"):
            return f"{duration // unit}{name}"
    microseconds = duration // timedelta(microseconds=1)
    return f"{microseconds // 1000}.{microseconds % 1000:03}".rstrip("0") + "ms"
