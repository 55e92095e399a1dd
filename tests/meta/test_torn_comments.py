"""The formatter tears a comment at the end of a long line off what it explains; such comments stand above the line."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
AFTER_A_BRACKET = r"^ *[)\]}][:,]?  # (?!fmt:|noqa)"
ALONE_IN_BRACKETS = r"^[^#\n]*\(\n[^#\n,]+[^#\n,(\[{]  # [^\n]*\n *\)"
TORN = re.compile(f"{AFTER_A_BRACKET}|{ALONE_IN_BRACKETS}", re.MULTILINE)


def test_no_comment_is_torn_off() -> None:
    """No line is a bracket and a comment, and no value stands alone in brackets for its comment's sake."""
    torn = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        for text in [path.read_text()]
        for found in TORN.finditer(text)
    ]
    assert torn == []
