"""Which characters may stand in a header, and how a stranger's text is shown."""

from __future__ import annotations

import unicodedata
from email.header import decode_header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.domain.text import control_character, escaped, forbidden_character, shown

CONTROL = "a control character, line break or lone surrogate"
DECEPTIVE = "an invisible or direction-changing character"
ENCODED = "an encoded word (RFC 2047)"


@pytest.mark.parametrize(
    "code", [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xD800, 0xDBFF, 0xDC00, 0xDFFF]
)
def test_controls_are_named(code: int) -> None:
    """C0, DEL, C1, line and paragraph separators and lone surrogates, wherever they stand."""
    for text in (chr(code), f"a{chr(code)}", f"{chr(code)}a"):
        assert forbidden_character(text) == CONTROL
        assert control_character(text) == CONTROL


@pytest.mark.parametrize(
    "character", "\u200b\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2064\u2066\u2069\u206f\ufeff\ufff9"
)
def test_what_deceives_the_eye_is_named(character: str) -> None:
    """Overrides, isolates and zero-width characters are forbidden, though a header could hold them."""
    assert forbidden_character(f"a{character}b") == DECEPTIVE
    assert control_character(f"a{character}b") is None


@pytest.mark.parametrize(
    "text",
    [
        "=?utf-8?q?x?=",
        "=?UTF-8?B?eA==?=",
        "a =?iso-8859-1?Q?=0A?=Bcc: x",
        "=?utf-8*en?q?x",
        "=?utf 8?b?x?=",
        "=??q??=",
    ],
)
def test_an_encoded_word_is_named(text: str) -> None:
    """Text that some reader would decode into what nobody checked."""
    assert forbidden_character(text) == ENCODED
    assert control_character(text) is None


@given(st.text())
@example("=? ?q??=")
@example("=?\n?Q?=0A?=")
def test_what_is_allowed_is_read_as_it_stands(text: str) -> None:
    """No reader decodes allowed text, and each of its characters is no control."""
    if forbidden_character(text) is None:
        assert decode_header(text) == [(text, None)]
        assert not {unicodedata.category(character) for character in text} & {"Cc", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "naïve – “quotes”",
        "👩‍💻 emoji with a joiner",
        "نامه‌ای با ZWNJ",
        "\u200fעברית",
        "=? what?",
        "a=b?c?d",
        "\u00a0",
    ],
)
def test_ordinary_text_is_allowed(text: str) -> None:
    """Every script, emoji with joiners, the plain direction marks, and question marks of one's own."""
    assert forbidden_character(text) is None


@given(st.text(), st.integers(0, 600))
@example("\ud800\n\x00é", 100)
def test_escaped_text_is_one_short_line_of_printable_ascii(text: str, limit: int) -> None:
    """Whatever a stranger writes."""
    line = escaped(text, limit)
    assert len(line) <= limit
    assert all(" " <= character <= "~" for character in line)


@given(st.text(st.characters(exclude_characters="\n"), max_size=100))
def test_escaping_loses_nothing(text: str) -> None:
    """Within the limit, what was escaped can be read back."""
    assert escaped(text, 10_000).encode("ascii").decode("unicode_escape") == text


@pytest.mark.parametrize(
    "text, line",
    [
        ("plain", "plain"),
        ("two\nlines", "two | lines"),
        ("bell\x07", r"bell\x07"),
        ("back\\slash", r"back\\slash"),
        ("naïve", r"na\xefve"),
        ("\u202e", r"\u202e"),
        ("x" * 11, "x" * 10),
    ],
)
def test_how_it_is_escaped(text: str, line: str) -> None:
    """Line feeds become bars, the rest what Python would write in a literal."""
    assert escaped(text, 10) == line[:10]


@given(st.text(st.characters(exclude_categories=[])))
def test_what_is_shown_is_one_line(text: str) -> None:
    """Printable, and what was printable before is as it was."""
    assert shown(text).isprintable()
    assert shown(text) == text or not text.isprintable()
    assert shown(f"/home/jürgen/{text}").startswith("/home/jürgen/")
