"""The built-in mail: the first that most users will see."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.jinja.renderer import JinjaTemplateRenderer

RENDERER = JinjaTemplateRenderer()
VARIABLES: dict[str, object] = {"code": "493817", "minutes": 5, "expires_in": "5 minutes"}
VOID = {"meta"}


class Balanced(HTMLParser):
    """Whether each tag is closed in order, and what stands between the tags of the body."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opened."""
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closed, and it was the last opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text, of the head or of the body."""
        self.text += data if "body" in self.open else ""


def html(**more: object) -> Balanced:
    """The HTML part, read."""
    source = RENDERER.render("login_code", {**VARIABLES, **more}).html
    assert source is not None
    return Balanced(source)


def test_text_and_html_say_code_and_validity() -> None:
    """Both parts hold the code and how long it is valid."""
    for shown in (RENDERER.render("login_code", VARIABLES).text, html().text):
        assert "493817" in shown
        assert "valid for 5 minutes" in shown


def test_the_subject_does_not_hold_the_code() -> None:
    """A subject is logged by relays and shown on locked screens."""
    assert RENDERER.render("login_code", VARIABLES).subject == "Your login code"


def test_a_product_may_be_named() -> None:
    """With ``product`` in the context, subject and both parts say whose code it is."""
    content = RENDERER.render("login_code", {**VARIABLES, "product": "Galaxy"})
    assert content.subject == "Your Galaxy login code"
    assert content.text.startswith("Your Galaxy login code is:\n")
    assert "Your Galaxy login code" in html(product="Galaxy").text


@given(code=st.text(), product=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=50))
def test_no_code_or_product_changes_the_structure(code: str, product: str) -> None:
    """The HTML's tags and attributes are the same for any code and product."""
    usual, drawn = (
        html(product="Galaxy"),
        html(code=code, product=product) if product.isprintable() else html(),
    )
    assert (drawn.attributes, drawn.open) == (usual.attributes, [])


def test_it_is_readable_by_everyone() -> None:
    """It names its language, keeps tables out of a screen reader's way, and loads nothing from anywhere."""
    attributes = html().attributes
    assert ("lang", "en") in attributes
    assert ("role", "presentation") in attributes
    assert not [name for name, _ in attributes if name in {"src", "href", "onload", "class"}]


@pytest.mark.parametrize("part", ["text", "html"])
def test_its_lines_are_short_enough_for_any_relay(part: str) -> None:
    """No line is near the limit of 998 octets (RFC 5322 section 2.1.1), and text wraps at 76."""
    lines = str(getattr(RENDERER.render("login_code", VARIABLES), part)).splitlines()
    assert max(map(len, lines)) <= (76 if part == "text" else 600)


def test_it_ends_in_a_line_break_and_not_in_empty_lines() -> None:
    """The files are tidy."""
    assert RENDERER.render("login_code", VARIABLES).text.endswith("this mail.\n")
