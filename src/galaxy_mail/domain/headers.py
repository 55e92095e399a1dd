"""Header fields: values as octets that unfold and decode to themselves (RFC 5322 sections 2.2.3 and 3.4).

Only what every reader agrees about is written plainly: printable ASCII with single blanks and nothing that looks like an
encoded word. All else goes into encoded words. A field is folded at one of its blanks, so no folded line is blank.

Each function returns the text after the field's colon and blank, and raises ``InvalidMessage`` naming its ``field``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from galaxy_mail.domain.addresses import EmailAddress, Mailbox
from galaxy_mail.domain.encoded_words import encoded_words
from galaxy_mail.domain.errors import InvalidMessage
from galaxy_mail.domain.text import control_character

MAX_FOLDED = 76  # where a line is folded: RFC 2047 section 2, within the 78 of RFC 5322
FIRST_LINE = MAX_FOLDED - len("Reply-To: ")  # the longest name of a field we write
MAX_MESSAGE_ID = 250
MIN_YEAR = 1900  # RFC 5322 section 3.3

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]"  # RFC 5322 section 3.2.3
_DOT_ATOM = rf"{_ATEXT}+(?:\.{_ATEXT}+)*"
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS = re.compile(rf"{_ATEXT}+(?: {_ATEXT}+)*")
_MESSAGE_ID = re.compile(rf"{_DOT_ATOM}@{_DOT_ATOM}")
# No octet that ends, splits or hides an address; what else an address may be, its own class decided.
_ADDRESS = re.compile(r'[^\s\x00-\x20\x7f-\x9f\ud800-\udfff"(),:;<>@\[\\\]]+@[A-Za-z0-9.\-]+')
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def unstructured(text: str, field: str) -> str:
    """A subject, or any text that only people read."""
    if not text:
        return ""
    plain = _fold(text) if "=?" not in text and _PLAIN.fullmatch(text) else None
    return plain or _encoded(text, field)


def mailbox_list(mailboxes: tuple[Mailbox, ...], field: str) -> str:
    """One mailbox a line. A local part that is not ASCII stands as it is (RFC 6532): see ``needs_smtputf8``."""
    return ",\r\n ".join([_mailbox(mailbox, field) for mailbox in mailboxes])


def message_id(identifier: str) -> str:
    """The angle-bracketed form of a plain ``left@right`` (RFC 5322 section 3.6.4)."""
    if len(identifier) > MAX_MESSAGE_ID or not _MESSAGE_ID.fullmatch(identifier):
        raise InvalidMessage(
            "message_id", f"is not left@right in at most {MAX_MESSAGE_ID} plain ASCII characters"
        )
    return f"<{identifier}>"


def date(instant: datetime) -> str:
    """An instant to the second, in UTC with its numeric zone (RFC 5322 section 3.3)."""
    if instant.utcoffset() is None:
        raise InvalidMessage("date", "has no time zone")
    try:
        at = instant.astimezone(UTC)
    except OverflowError:
        raise InvalidMessage("date", "is out of range in UTC") from None
    if at.year < MIN_YEAR:
        raise InvalidMessage("date", f"is before the year {MIN_YEAR}")
    clock = f"{at.hour:02}:{at.minute:02}:{at.second:02}"
    return f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month]} {at.year} {clock} +0000"


def _fold(text: str) -> str | None:
    """Fold at blanks, each a blank alone; ``None`` if that cannot be."""
    if len(text) <= FIRST_LINE:
        return text
    lines = []
    room = FIRST_LINE
    while len(text) > room:
        blank = text.rfind(" ", 1, room + 1)
        if blank < 0 or "  " in text:
            return None
        lines.append(text[:blank])
        text = text[blank + 1 :]
        room = MAX_FOLDED - 1
    return "\r\n ".join([*lines, text])


def _mailbox(mailbox: Mailbox, field: str) -> str:
    address = _address(mailbox.address, field)
    if not mailbox.name:
        return address
    phrase = _phrase(mailbox.name, field)
    last_line = len(phrase) - phrase.rfind("\n") - 1
    joint = " " if last_line + len(address) + len(" <>,") <= FIRST_LINE else "\r\n "
    return f"{phrase}{joint}<{address}>"


def _address(address: EmailAddress, field: str) -> str:
    text = f"{address.local}@{address.domain}"
    if not _ADDRESS.fullmatch(text):
        raise InvalidMessage(field, "has an address that cannot stand in a header")
    return text


def _phrase(name: str, field: str) -> str:
    """A display name: as atoms, else as a quoted string, else as encoded words (RFC 5322 section 3.2.5)."""
    phrase = None
    if name.isascii() and name.isprintable() and "=?" not in name:
        phrase = _fold(name if _ATOMS.fullmatch(name) else _quoted_string(name))
    return phrase or _encoded(name, field)


def _quoted_string(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(text: str, field: str) -> str:
    if problem := control_character(text):
        raise InvalidMessage(field, f"holds {problem}")
    return encoded_words(text, FIRST_LINE)
