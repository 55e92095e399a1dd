"""Encoded words: how a header says in ASCII what is not ASCII (RFC 2047).

A text becomes one or more words of at most 75 octets, on lines of at most 76. White space between two encoded words is
not shown (section 6.2), so blanks go inside the words and any text comes back exactly, whatever it holds. No character is
ever split between two words (section 5), and no visible character as far as Python's Unicode database can tell.
"""

from __future__ import annotations

import binascii
import unicodedata
from collections.abc import Callable, Iterator

import attrs

MAX_WORD = 75  # RFC 2047 section 2, in octets
_FRAME = len("=?utf-8?q??=")
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))

# What may stand for itself even in a display name (RFC 2047 section 5, rule 3); a blank is an underscore.
_PLAIN = b"!*+-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_QUOTED = [chr(octet) if octet in _PLAIN else f"={octet:02X}" for octet in range(256)]
_QUOTED[ord(" ")] = "_"


def encoded_words(text: str, room: int = MAX_WORD) -> str:
    """``text`` as encoded words, joined by CRLF and a space; Q or B, whichever is shorter.

    ``room`` is what the first word may take, in octets (24 to 75). ``text`` is not empty and holds no lone surrogate.
    """
    quoted = _quote(text)
    form, payload = _Q, quoted
    if len(quoted) > (len(text.encode()) + 2) // 3 * 4:
        form, payload = _B, _base64(text)
    if _FRAME + len(payload) <= room:
        return f"=?utf-8?{form.letter}?{payload}?="
    words = [f"=?utf-8?{form.letter}?{form.write(piece)}?=" for piece in _split(text, form, room - _FRAME)]
    return "\r\n ".join(words)


def _quote(text: str) -> str:
    return "".join([_QUOTED[octet] for octet in text.encode()])


def _base64(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).decode("ascii")


@attrs.frozen
class _Form:
    """One of the two encodings: its letter, how it writes, and the most octets that one character can take."""

    letter: str
    write: Callable[[str], str]
    widest: int


_Q = _Form("q", _quote, widest=len("=F0=9F=98=80"))
_B = _Form("b", _base64, widest=8)


def _split(text: str, form: _Form, room: int) -> Iterator[str]:
    """Cut ``text`` into pieces that each fill a word: the first of ``room`` octets, the others of full length."""
    start = 0
    while start < len(text):
        end = _whole(text, start, _furthest(text, start, form, room))
        yield text[start:end]
        start, room = end, MAX_WORD - _FRAME


def _furthest(text: str, start: int, form: _Form, room: int) -> int:
    """Where the longest piece from ``start`` ends that fits into ``room``. Steps back by what must go at the least."""
    end = min(start + room, len(text))
    while (excess := len(form.write(text[start:end])) - room) > 0:
        end -= -(-excess // form.widest)
    return end


def _whole(text: str, start: int, end: int) -> int:
    """The last place up to ``end`` that splits nothing visible; ``end`` if all of the piece is one such thing."""
    return next((place for place in range(end, start, -1) if not _continues(text, place)), end)


# The combining class of what makes a half letter in Indic scripts. A ZWJ after it asks for that shape, and joins nothing more.
_VIRAMA = 9


def _continues(text: str, place: int) -> bool:
    """Whether the character at ``place`` is drawn together with those before it: a short form of Unicode's annex 29."""
    if place == len(text) or text[place].isascii():
        return False
    character = text[place]
    if character in _FLAG_LETTERS:  # two of them are a flag
        before = text[:place]
        return bool((len(before) - len(before.rstrip(_FLAG_LETTERS))) % 2)
    return (
        (text[place - 1] == _ZWJ and unicodedata.combining(text[place - 2 : place - 1] or " ") != _VIRAMA)
        or character in (_ZWNJ, _ZWJ)
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of regional flags
        or unicodedata.category(character)[0] == "M"
    )
