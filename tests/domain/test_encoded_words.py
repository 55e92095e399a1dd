"""Encoded words: each stands alone, none splits a character, and together they are the text (RFC 2047)."""

from __future__ import annotations

import email.header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.domain.encoded_words import MAX_WORD, encoded_words
from tests.domain.mime_reader import words_by_hand
from tests.domain.mime_strategies import encodable_text, header_texts

texts = (header_texts | encodable_text).filter(bool)
rooms = st.integers(24, MAX_WORD)

# What a reader sees as one character, though it is several.
CLUSTERS = [
    "e\u0301",
    "👍🏽",
    "👩‍👩‍👧‍👦",
    "🇦🇹",
    "न्\u200d",
    "❤\ufe0f",
    "🏴\U000e0067\U000e0062\U000e007f",
    "שָׁ",
    "a\u0300\u0301\u0302",
]


@given(texts, rooms)
def test_words_decode_one_by_one_to_the_text(text: str, room: int) -> None:
    """Each word is whole UTF-8 by itself, and in a row they are the text; an older part of the library agrees."""
    words = encoded_words(text, room)
    assert words_by_hand(words.replace("\r\n", "")) == text
    decoded = email.header.decode_header(words)
    assert all(isinstance(part, bytes) and charset == "utf-8" for part, charset in decoded)
    assert b"".join(part for part, _ in decoded if isinstance(part, bytes)).decode() == text


@given(texts, rooms)
def test_no_word_is_longer_than_its_room(text: str, room: int) -> None:
    """The first has the room it was given, the others 75 octets, all on lines of their own and in ASCII."""
    first, *others = encoded_words(text, room).split("\r\n ")
    assert len(first) <= room
    assert all(len(word) <= MAX_WORD for word in others)
    assert all(word.isascii() and word.isprintable() and " " not in word for word in (first, *others))


@pytest.mark.parametrize("text", ["a, ö " * 60, "漢字" * 90])
def test_words_are_filled(text: str) -> None:
    """The first fills its room and the others a line, to within one character."""
    first, *others, _ = encoded_words(text, 66).split("\r\n ")
    assert len(first) > 66 - len("=C3=B6")
    assert others
    assert all(len(word) > MAX_WORD - len("=C3=B6") for word in others)


@example(["न्\u200d", "न्\u200d", "👩‍👩‍👧‍👦"], 66)
@given(st.lists(st.sampled_from(CLUSTERS), min_size=1, max_size=40), st.integers(66, MAX_WORD))
def test_no_visible_character_is_split(clusters: list[str], room: int) -> None:
    """A word ends only where a reader sees a character end, since readers draw the words apart when they reply or sort."""
    ends = {sum(map(len, clusters[:count])) for count in range(len(clusters) + 1)}
    position = 0
    for word in encoded_words("".join(clusters), room).split("\r\n "):
        position += len(words_by_hand(word))
        assert position in ends


@given(texts)
def test_the_shorter_form_is_chosen(text: str) -> None:
    """Q for what is nearly ASCII, B for what is not; and one of them for the whole of a text."""
    forms = {word[: len("=?utf-8?q?")] for word in encoded_words(text).split("\r\n ")}
    kept = sum(octet in b" !*+-/" or (chr(octet).isalnum() and octet < 128) for octet in text.encode())
    quoted = kept + 3 * (len(text.encode()) - kept)
    assert forms == {"=?utf-8?q?" if quoted <= -(-len(text.encode()) // 3) * 4 else "=?utf-8?b?"}


@pytest.mark.parametrize(
    "text, words",
    [
        ("Grüße an Ada Lovelace", "=?utf-8?q?Gr=C3=BC=C3=9Fe_an_Ada_Lovelace?="),
        ("=?utf-8?q?x?=", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?="),
        ("what=?this_is", "=?utf-8?q?what=3D=3Fthis=5Fis?="),
        (" ", "=?utf-8?q?_?="),
        ("漢字", "=?utf-8?b?5ryi5a2X?="),
    ],
)
def test_how_words_look(text: str, words: str) -> None:
    """What is special within a word is quoted, a blank is an underscore."""
    assert encoded_words(text) == words
