"""Bodies: text as a reader wrote it, made into octets that no gateway will touch (RFC 2045 section 6).

Whatever encoding is chosen, the text comes back exactly, save that each of its line breaks (CRLF, a lone CR, a lone LF)
is CRLF on the wire. And no line of an encoded body

* is longer than 78 octets, so nobody has cause to wrap it;
* begins with a dot, so dot-stuffing (RFC 5321 section 4.5.2) has nothing to do and nothing to get wrong;
* begins with ``From ``, which mailbox files mangle, or ends in white space, which some gateways strip;
* holds ``=_``, with which each boundary begins: quoted-printable follows ``=`` by two hexadecimal digits or the end of
  the line, base64 ends with it, and plain text that holds it is not left plain.
"""

from __future__ import annotations

import binascii
import re
from contextlib import suppress

from galaxy_mail.domain.errors import InvalidMessage
from galaxy_mail.domain.wire import lines_within

MAX_PLAIN_LINE = 78  # RFC 5322 section 2.1.1, where it says SHOULD
MAX_ENCODED_LINE = 76  # RFC 2045 section 6.7 rule 5, and section 6.8

_PRINTABLE = bytes((*b"\t\n", *range(32, 127)))
_LITERAL = _PRINTABLE.replace(b"=", b"")
_QUOTED = [b"=%02X" % octet for octet in range(256)]
_FRAGILE = re.compile(rb"\n(?:\.|From |(?<=[ \t]\n))")
# As much of an encoded line as leaves room for a soft break and for mending its first octet, splitting no ``=XX``.
_PIECE = re.compile(rb".{1,73}(?<!=)(?<!=.)")


def encode_text(text: str, field: str, *, closed: bool) -> tuple[str, bytes]:
    """The Content-Transfer-Encoding for ``text`` and its lines in it, ASCII, joined by CRLF.

    The plainest that suffices: 7bit, else quoted-printable or base64, whichever is shorter.

    ``closed`` asks for a body that is empty or ends with CRLF, as one that ends a message must; a text that does not is
    then ended by a soft line break.

    Raises:
        InvalidMessage: naming ``field``, for a NUL (RFC 5322 section 4) or a lone surrogate.
    """
    data = _octets(text, field)
    unended = closed and bool(data) and not data.endswith(b"\n")
    if not unended and _is_plain(data):
        return "7bit", data.replace(b"\n", b"\r\n")
    special = data.translate(None, _LITERAL)
    if len(data) + 2 * len(special) > len(data) * 4 // 3:
        return "base64", _base64(data.replace(b"\n", b"\r\n")) + b"\r\n" * closed
    encoded = _quoted_printable(data, special)
    return "quoted-printable", _softly_ended(encoded) if unended else encoded


def _octets(text: str, field: str) -> bytes:
    """The text in UTF-8 with LF line ends."""
    if "\0" in text:
        raise InvalidMessage(field, "holds a NUL character")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    with suppress(UnicodeEncodeError):  # it carries the text, so it must not become the context of our error
        return text.encode()
    raise InvalidMessage(field, "holds a lone surrogate")


def _is_plain(data: bytes) -> bool:
    return (
        data.isascii()
        and not data.translate(None, _PRINTABLE)
        and b"=_" not in data
        and lines_within(data, MAX_PLAIN_LINE)
        and not _FRAGILE.search(b"\n%b\n" % data)
    )


def _base64(data: bytes) -> bytes:
    encoded = binascii.b2a_base64(data, newline=False)
    lines = range(0, len(encoded), MAX_ENCODED_LINE)
    return b"\r\n".join([encoded[start : start + MAX_ENCODED_LINE] for start in lines])


def _quoted_printable(data: bytes, special: bytes) -> bytes:
    """``data`` with the octets in ``special`` quoted. (``binascii.b2a_qp`` is slower than a few replacements, writes lines
    of 77 octets, and leaves leading dots and ``From `` as they are.)
    """
    data = data.replace(b"=", b"=3D")
    special = special.replace(b"=", b"")
    while octet := special[:1]:
        data = data.replace(octet, _QUOTED[octet[0]])
        special = special.replace(octet, b"")
    if _FRAGILE.search(framed := b"\n%b\n" % data):
        framed = framed.replace(b" \n", b"=20\n").replace(b"\t\n", b"=09\n")
        data = framed.replace(b"\n.", b"\n=2E").replace(b"\nFrom ", b"\n=46rom ")[1:-1]
    if lines_within(data, MAX_ENCODED_LINE):
        return data.replace(b"\n", b"\r\n")
    lines = [line if len(line) <= MAX_ENCODED_LINE else _soften(line) for line in data.split(b"\n")]
    return b"\r\n".join(lines)


def _softly_ended(encoded: bytes) -> bytes:
    head, line_break, last = encoded.rpartition(b"\r\n")
    if len(last) == MAX_ENCODED_LINE:  # no room for the break's own octet
        last = _soften(last)
    return b"".join((head, line_break, last, b"=\r\n"))


def _soften(line: bytes) -> bytes:
    """Break a long encoded line by soft line breaks, and mend what now begins one."""
    pieces = _PIECE.findall(line)
    mended = [b"=%02X%b" % (p[0], p[1:]) if p.startswith((b".", b"From ")) else p for p in pieces]
    return b"=\r\n".join(mended)
