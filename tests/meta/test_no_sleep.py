"""Tests wait for events, never for time: a sleep is either flaky or slow, and mostly both."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def sleeps(source: str) -> list[int]:
    """The lines that call ``sleep`` of asyncio or time with anything but the literal 0."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"asyncio.sleep", "time.sleep", "sleep"}
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]


@pytest.mark.parametrize(
    "source, lines",
    [
        ("await asyncio.sleep(0)", []),
        ("await asyncio.sleep(0.1)", [1]),
        ("time.sleep(pause)", [1]),
        ("from time import sleep\nsleep(1)", [2]),
        ("await clock.sleep(5)", []),
    ],
)
def test_the_check_sees_a_sleep(source: str, lines: list[int]) -> None:
    """The check below is awake: it finds each way to sleep and lets ``sleep(0)`` and a manual clock pass."""
    assert sleeps(source) == lines


def test_no_test_sleeps() -> None:
    """No module under tests/ sleeps for a time."""
    found = {
        f"{path.relative_to(TESTS)}:{line}"
        for path in TESTS.rglob("*.py")
        for line in sleeps(path.read_text())
    }
    assert found == set()
