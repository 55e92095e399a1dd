"""Every promise of docs/explanation/guarantees.md says how it is proved."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/explanation/guarantees.md").read_text()
PROMISES = PAGE.split("\n## The promises\n", 1)[1].split("\n## ", 1)[0].split("\n### ")[1:]


def test_every_promise_names_its_proof() -> None:
    """A section ends with the tests that prove it; that they exist is checked with all links."""
    silent = [
        promise.partition("\n")[0]
        for promise in PROMISES
        if not re.search(r"^Proved (?:by|in parts:).*`test_\w+`", promise, flags=re.MULTILINE | re.DOTALL)
    ]
    assert PROMISES
    assert silent == []


def test_the_first_sentence_admits_the_weakness() -> None:
    """Whoever reads one sentence reads this one."""
    title, _, text = PAGE.partition("\n\n")
    assert title.startswith("# ")
    assert text.startswith("You may receive a mail twice. Here is when")
