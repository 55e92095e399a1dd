"""Addresses: parsed once at the border, valid for ever after.

An ``EmailAddress`` is a bare RFC 5321 mailbox without the forms that make two programs read two different addresses: no
quoted local part, comment, source route, address literal, list, group or angle bracket. Its domain is kept in the form the
wire needs (A-labels, RFC 5891); only its local part may hold non-ASCII text, and then the server must offer SMTPUTF8
(RFC 6531). A ``Mailbox`` puts a display name before it, and a ``Recipient`` says in which role it takes part.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from enum import StrEnum
from typing import Self

import attrs
import idna

from galaxy_mail.domain.errors import InvalidAddress
from galaxy_mail.domain.text import forbidden_character

MAX_LOCAL_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
MAX_LABEL_OCTETS = 63  # RFC 1035 section 2.3.4
MAX_DOMAIN_OCTETS = 253
MAX_ADDRESS_OCTETS = 254  # RFC 5321 section 4.5.3.1.3: a path of 256 with its angle brackets
MAX_DISPLAY_NAME = 256

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_ASCII_LOCAL = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*")
_UTF8_LOCAL = re.compile(rf"[{_ATEXT}\u0080-\U0010ffff]+(?:\.[{_ATEXT}\u0080-\U0010ffff]+)*")
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"})  # general categories (UAX 44, table 12)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?")
_QUOTED_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')


class RecipientKind(StrEnum):
    """The role of a recipient. ``reply_to`` is a header only; the other three make up the envelope."""

    TO = "to"
    CC = "cc"
    BCC = "bcc"
    REPLY_TO = "reply_to"

    @property
    def in_envelope(self) -> bool:
        """Whether mail is delivered to it."""
        return self is not RecipientKind.REPLY_TO


@attrs.frozen(str=False)
class EmailAddress:
    """One address: ``local`` as given (NFC), ``domain`` in lower-case A-labels. Made by :meth:`parse` only."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server that offers SMTPUTF8 (RFC 6531) can take it."""
        return not self.local.isascii()

    @property
    def masked(self) -> str:
        """The address for logs and notices: ``a***@example.org``."""
        return f"{self.local[0]}***@{self.domain}"

    @classmethod
    def parse(cls, text: object, field: str = "address") -> Self:
        """The one address that ``text`` is, exactly; surrounding white space is refused like everything else.

        Raises:
            InvalidAddress: naming ``field`` and the rule that was broken, without repeating the text.
        """
        if not isinstance(text, str):
            raise InvalidAddress(field, "must be text")
        if text.count("@") != 1:
            raise InvalidAddress(field, "needs exactly one @")
        local, domain = text.split("@")
        address = cls(_parse_local(local, field), _parse_domain(domain, field))
        if len(str(address).encode()) > MAX_ADDRESS_OCTETS:
            raise InvalidAddress(field, f"is longer than {MAX_ADDRESS_OCTETS} octets")
        return address


@attrs.frozen(str=False)
class Mailbox:
    """An address with a display name for the eye (RFC 5322 section 3.4). An empty name means none."""

    address: EmailAddress
    name: str = ""

    def __str__(self) -> str:
        if not self.name:
            return str(self.address)
        escaped = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{self.address}>'

    @classmethod
    def parse(cls, text: object, field: str = "address") -> Self:
        r"""Read ``ada@example.org``, ``Ada <ada@example.org>`` or ``"Lovelace, Ada" <ada@example.org>``.

        A name that is not quoted holds no ``@ , ; : < > ( ) [ ] " \\``, so that no other reading exists.

        Raises:
            InvalidAddress: for anything else.
        """
        if not isinstance(text, str):
            raise InvalidAddress(field, "must be text")
        if not text.endswith(">"):
            return cls(EmailAddress.parse(text, field))
        name, space, address = text[:-1].rpartition(" <")
        if not space or not name:
            raise InvalidAddress(field, "must be an address, or a name, a space and <address>")
        return cls(EmailAddress.parse(address, field), parse_display_name(_unquote(name, field), field))


@attrs.frozen
class Recipient:
    """A mailbox in its role."""

    kind: RecipientKind
    mailbox: Mailbox

    @property
    def address(self) -> EmailAddress:
        """The bare address, as the envelope uses it."""
        return self.mailbox.address


def parse_display_name(name: str, field: str) -> str:
    """Return ``name`` if it can stand in a header: one line, no control or direction characters, no encoded word.

    Raises:
        InvalidAddress: naming ``field``.
    """
    if not isinstance(name, str):
        raise InvalidAddress(field, "has a display name that is not text")
    if len(name) > MAX_DISPLAY_NAME:
        raise InvalidAddress(field, f"has a display name longer than {MAX_DISPLAY_NAME} characters")
    if problem := forbidden_character(name):
        raise InvalidAddress(field, f"has a display name with {problem}")
    if name != name.strip():
        raise InvalidAddress(field, "has a display name with white space around it")
    return name


def _unquote(name: str, field: str) -> str:
    if quoted := _QUOTED_NAME.fullmatch(name):
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if re.search(r'[@,;:<>()\[\]"\\]', name):
        raise InvalidAddress(field, "has a display name with specials that needs quotes")
    return name


def _parse_local(local: str, field: str) -> str:
    local = unicodedata.normalize("NFC", local)  # before all checks: it makes a plain semicolon of U+037E
    if problem := forbidden_character(local):
        raise InvalidAddress(field, f"has {problem} before the @")
    if not (_ASCII_LOCAL if local.isascii() else _UTF8_LOCAL).fullmatch(local):
        raise InvalidAddress(field, "is not a plain dot-atom before the @ (RFC 5322 section 3.2.3)")
    if any(unicodedata.category(character) in _UNSEEN for character in local):
        raise InvalidAddress(field, "has white space or an invisible character before the @")
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise InvalidAddress(field, f"has more than {MAX_LOCAL_OCTETS} octets before the @")
    return local


def _a_labels(domain: str) -> str:
    """The domain as the wire needs it, or nothing. Case and composition are folded and nothing else (no UTS 46), so that no
    character vanishes.
    """
    # Which repeat the text, so they must not become the context of our error.
    with suppress(idna.IDNAError, UnicodeError):
        return idna.encode(unicodedata.normalize("NFC", domain.lower())).decode("ascii")
    return ""


def _parse_domain(domain: str, field: str) -> str:
    if not domain.isascii():
        domain = _a_labels(domain)
        if not domain:
            raise InvalidAddress(field, "has a domain that IDNA (RFC 5891) does not allow")
    labels = domain.split(".")
    if len(labels) < 2:
        raise InvalidAddress(field, "has a domain without a dot")
    if len(domain) > MAX_DOMAIN_OCTETS or any(len(label) > MAX_LABEL_OCTETS for label in labels):
        raise InvalidAddress(
            field, f"has a domain over {MAX_DOMAIN_OCTETS} or a label over {MAX_LABEL_OCTETS} octets"
        )
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise InvalidAddress(field, "has a domain that is not a host name (RFC 1123 section 2.1)")
    return domain.lower()
