"""docs/reference/ports.md says what domain/ports.py says."""

from __future__ import annotations

from tests.docs import ports_page


def test_the_page_is_drawn_anew() -> None:
    """The page is what its drawer makes of the docstrings of today: else run ``python -m tests.docs.ports_page``."""
    assert ports_page.PAGE.read_text() == ports_page.page()
