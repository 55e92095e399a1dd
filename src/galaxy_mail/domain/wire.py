"""The wire contract: what any finished message must satisfy before a server sees it (RFC 5321, RFC 5322).

It judges octets alone and knows nothing of how they were made, so it is the last gate: a bug of the composer becomes an
error here and not a malformed or smuggled message there.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_LINE = 998  # RFC 5322 section 2.1.1, without CRLF
MAX_HEADER_BLOCK = 64 * 1024

# RFC 5322 section 2.2: a name, a colon and text; folded lines begin with a blank and are not blank (section 3.2.2).
# No possessive quantifiers: CPython 3.11.0 to 3.11.4 match some of them wrongly (gh-101955).
_FIELD = rb"[!-9;-~]+:[^\r\n]*(?:\r\n[ \t]+[^\s][^\r\n]*)*"
_FIELDS = re.compile(rb"%b(?:\r\n%b)*" % (_FIELD, _FIELD))
_NAME = re.compile(rb"\r\n([!-9;-~]+):")
_REQUIRED = frozenset((b"date", b"from", b"message-id"))
_SINGLETONS = frozenset((
    b"date", b"from", b"sender", b"reply-to", b"to", b"cc", b"message-id", b"in-reply-to", b"references",
    b"subject", b"mime-version", b"content-type", b"content-transfer-encoding", b"content-id",
    b"content-description",
))  # fmt: skip
_NEVER = frozenset((b"bcc", b"resent-bcc"))


def wire_contract_problem(raw: bytes, *, smtputf8: bool = False) -> str | None:
    """What is wrong with the finished message ``raw``, not dot-stuffed; ``None`` if nothing is. Repeats nothing of it.

    ``smtputf8`` allows UTF-8 in header fields (RFC 6532), never in the body: all we write there is 7-bit.
    """
    head, blank_line, body = raw.partition(b"\r\n\r\n")
    if not blank_line:
        return "has no blank line after its header"
    return _line_problem(raw) or _octet_problem(raw, head, body, smtputf8) or _header_problem(head)


def lines_within(octets: bytes, limit: int) -> bool:
    """Whether no line, its line break not counted, is longer than ``limit``. Leaps, where it can, over many lines."""
    start, end = 0, len(octets)
    while start + limit < end:
        line_break = octets.rfind(b"\n", start, start + limit + 1)
        if line_break < 0:
            return False
        start = line_break + 1
    return True


def _line_problem(raw: bytes) -> str | None:
    if not raw.endswith(b"\r\n"):
        return "does not end with CRLF"
    if raw.replace(b"\r", b"").replace(b"\n", b"\r\n") != raw:
        return "holds a lone CR or LF"
    if not lines_within(raw, MAX_LINE + 1):  # the CR of a CRLF
        return f"has a line longer than {MAX_LINE} octets"
    return None


def _octet_problem(raw: bytes, head: bytes, body: bytes, smtputf8: bool) -> str | None:
    if b"\0" in raw:
        return "holds a NUL"
    if raw.isascii():
        return None
    if not body.isascii():
        return "has a body that is not 7-bit"
    return _utf8_problem(head) if smtputf8 else "has a header that is not ASCII"


def _utf8_problem(head: bytes) -> str | None:
    try:
        head.decode()
    except UnicodeDecodeError:
        return "has a header that is not UTF-8"
    return None


def _header_problem(head: bytes) -> str | None:
    if len(head) > MAX_HEADER_BLOCK:
        return f"has a header block of more than {MAX_HEADER_BLOCK // 1024} KiB"
    if not _FIELDS.fullmatch(head):
        return "has a header that is not made of fields and folded lines"
    return _names_problem(tuple(_NAME.findall(b"\r\n" + head)))


@lru_cache(maxsize=64)  # most messages have the same fields
def _names_problem(names: tuple[bytes, ...]) -> str | None:
    fields = [name.lower() for name in names]
    distinct = frozenset(fields)
    if missing := _REQUIRED - distinct:
        return f"has no {_title(missing)} field"
    if distinct & _NEVER:
        return "names blind recipients in its header"
    twice = frozenset(name for name in distinct & _SINGLETONS if fields.count(name) > 1)
    return f"has a second {_title(twice)} field" if twice else None


def _title(names: frozenset[bytes]) -> str:
    return min(names).decode().title()
