"""Reading the values of options. An error says what is expected and never repeats what was typed: it may be a secret."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from galaxy_mail.app.durations import parse_duration

T = TypeVar("T")

MAX_PROCESSES = 1000


def _reader(expected: str, read: Callable[[str], T]) -> Callable[[str], T]:
    def checked(text: str) -> T:
        try:
            return read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be {expected}") from None

    return checked


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError
    return name, value


def _split_secret(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not name:
        raise ValueError
    return name, value if equals else None


pair: Callable[[str], tuple[str, str]] = _reader("NAME=VALUE", _split)
secret: Callable[[str], tuple[str, str | None]] = _reader("NAME or NAME=VALUE", _split_secret)
duration: Callable[[str], timedelta] = _reader("a duration such as 10s, 5m or 1h", parse_duration)
instant: Callable[[str], datetime] = _reader(
    "a time such as 2030-01-31T09:00:00+01:00", datetime.fromisoformat
)


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MAX_PROCESSES:
        raise ValueError
    return number


count: Callable[[str], int] = _reader("a number from 1 to 1000", _count)
delivery_id: Callable[[str], UUID] = _reader("a delivery id", UUID)
