"""Two readers of a composed message that share no code with the composer: the ``email`` package, and one by hand.

The second exists since the first is not always right. It splits the header itself, decodes encoded words one by one (so a
character split between two of them shows), and takes multiparts apart at their delimiters.
"""

from __future__ import annotations

import base64
import email
import quopri
import re
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses

import attrs

_WORD = re.compile(
    r"=\?utf-8\?([qb])\?([!->@-~]+)\?="
)  # RFC 2047 section 2: no blank, no question mark inside
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "7bit": bytes,
    "quoted-printable": quopri.decodestring,
    "base64": base64.b64decode,
}


@attrs.frozen
class RawEntity:
    """Header fields in their order, unfolded and not decoded, and the octets behind the blank line."""

    fields: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def names(self) -> list[str]:
        """The names of the fields, in their order."""
        return [name for name, _ in self.fields]

    def __getitem__(self, name: str) -> str:
        (value,) = (value for field, value in self.fields if field == name)
        return value


def by_library(raw: bytes) -> EmailMessage:
    """The message as ``email`` sees it, which from octets would not read an address in UTF-8 (RFC 6532)."""
    if raw.isascii():
        message = email.message_from_bytes(raw, policy=default)
    else:
        message = email.message_from_string(raw.decode(), policy=default)
    assert isinstance(message, EmailMessage)
    assert [part.defects for part in message.walk() if part.defects] == []
    return message


def by_hand(raw: bytes) -> RawEntity:
    """The message, or one of its parts, as its octets say."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = re.sub(r"\r\n(?=[ \t])", "", head.decode()).split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return RawEntity(tuple((name, value) for name, _, value in fields), body)


def leaves_by_hand(entity: RawEntity) -> list[RawEntity]:
    """The parts of a multipart, split where its delimiter stands alone on a line; of anything else, itself."""
    if not entity["Content-Type"].startswith("multipart/"):
        return [entity]
    boundary = re.escape(entity["Content-Type"].split('boundary="')[1].removesuffix('"').encode())
    preamble, *parts, end = re.split(rb"(?:^|\r\n)--" + boundary + rb"(?=\r\n|--\r\n)", entity.body)
    assert preamble == b""
    assert end == b"--\r\n"
    return [by_hand(part.removeprefix(b"\r\n")) for part in parts]


def text_by_hand(entity: RawEntity) -> str:
    """The decoded text of a leaf."""
    return _DECODERS[entity["Content-Transfer-Encoding"]](entity.body).decode()


def words_by_hand(value: str) -> str:
    """A header value with its encoded words decoded, each alone (RFC 2047 section 6.2)."""
    joined = re.sub(r"(\?=)[ \t]+(?==\?)", r"\1", value)
    return _WORD.sub(lambda word: _decoded(word[1], word[2]), joined)


def _decoded(letter: str, payload: str) -> str:
    if letter == "b":
        return base64.b64decode(payload, validate=True).decode()
    return quopri.decodestring(payload.replace("_", "=20")).decode()


def mailboxes_by_hand(value: str) -> list[tuple[str, str]]:
    """Decoded names and addresses of a list. ``getaddresses`` is an older parser of the library and decodes nothing."""
    return [(words_by_hand(name), address) for name, address in getaddresses([value])]


def one_newline(text: str) -> str:
    """``text`` with each line break, CRLF, CR or LF, as LF: what bodies are compared by."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
