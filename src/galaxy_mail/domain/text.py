"""Which characters may stand in a line that a person or a header will see.

One rule for every header-bound field: display names, subjects, file names, header values. And one for text that others
wrote and we only repeat: it is escaped.
"""

from __future__ import annotations

import re

# C0, DEL and C1 controls, line and paragraph separators, lone surrogates.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Overrides and isolates that reorder what is read (CVE-2021-42574), and zero-width characters that hide in it. ZWJ and
# ZWNJ stay, for emoji and several scripts need them; so do the plain direction marks of Hebrew and Arabic.
_DECEPTIVE = re.compile("[\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]")
# An RFC 2047 encoded word in the input would be decoded by the reader into text that nobody checked. A charset has no
# blanks, but some readers take one with them.
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[BbQq]\?")


def control_character(text: str) -> str | None:
    """Name what no header can hold in any encoding, or ``None``: what remains can at worst deceive the eye."""
    return "a control character, line break or lone surrogate" if _CONTROL.search(text) else None


def forbidden_character(text: str) -> str | None:
    """Name what makes ``text`` unfit for a header, or ``None`` if nothing does. Never repeats the text."""
    if problem := control_character(text):
        return problem
    if _DECEPTIVE.search(text):
        return "an invisible or direction-changing character"
    if _ENCODED_WORD.search(text):
        return "an encoded word (RFC 2047)"
    return None


def escaped(text: str, limit: int) -> str:
    r"""``text`` as one line of at most ``limit`` printable ASCII octets; line feeds become `` | ``, the rest ``\n``-like.

    For what a stranger wrote and a log, a row or a terminal shall hold: nothing in it can break a line, move a cursor or
    pass for another letter.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text[:limit]  # as most are
    line = text[:limit].replace("\n", " | ")
    return line.encode("unicode_escape").decode("ascii")[:limit]


def shown(text: str) -> str:
    """``text`` as one line for the eye, in whatever script: what is not printable, an override of direction too, is escaped."""
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text])
