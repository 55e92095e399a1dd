from __future__ import annotations

import re
from pathlib import Path

import tests.bad_input

TESTS = Path(__file__).parents[1]


def test_every_test_in_the_table_exists() -> None:
    """The table of classes names tests, and each of them is there."""
    named = set(re.findall(r"\btest_\w+", tests.bad_input.__doc__ or ""))
    written = {
        name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert len(named) > 20
    assert named <= written, named - written
