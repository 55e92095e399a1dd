"""What comes with the next release is told in fragments that can be put together."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

KINDS = re.findall(
    r"`(\w+)`", (ROOT / "CONTRIBUTING.md").read_text().split("Kinds: ", 1)[1].partition(".")[0]
)
NAME = re.compile(rf"[a-z0-9-]+\.(?:{'|'.join(KINDS)})\.md")


def test_every_fragment_is_named_by_its_kind_and_says_something() -> None:
    """A file in changelog.d is ``<what>.<kind>.md``, of a kind that CONTRIBUTING.md names, and not empty."""
    assert "added" in KINDS
    fragments = list((ROOT / "changelog.d").iterdir())
    assert [path.name for path in fragments if not NAME.fullmatch(path.name)] == []
    assert [path.name for path in fragments if not path.read_text().strip()] == []
