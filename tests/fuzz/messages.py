"""The composer, and addresses: what is accepted is read by others as what it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs

from galaxy_mail.domain.addresses import MAX_ADDRESS_OCTETS, EmailAddress, Mailbox
from galaxy_mail.domain.errors import InvalidAddress, InvalidMessage
from galaxy_mail.domain.mime import Message, compose
from galaxy_mail.domain.wire import wire_contract_problem
from tests.domain.mime_reader import (
    by_hand,
    by_library,
    leaves_by_hand,
    mailboxes_by_hand,
    one_newline,
    text_by_hand,
    words_by_hand,
)
from tests.domain.mime_strategies import NOON, PLAIN
from tests.domain.test_mime import expected_names, lists
from tests.fuzz.engine import Target
from tests.fuzz.octets import Octets

WORDS = tuple(
    text.encode("utf-8", "surrogateescape")
    for text in (
        "ada@example.org", "Ada <ada@example.org>", '"Lovelace, Ada" <ada@example.org>', "@", "<", ">", " <", '"', "\\", ",", ";", ":", "(",
        ")", ".", "..", "=?utf-8?q?=0D=0ABcc:_x@y.org?=", "=?utf-8?b?QQ==?=", "=?", "?=", "=_", "=", "\r\n", "\n", "\r", "\n.\n", "\n.",
        "From ", "\nFrom ", " ", "  ", "\t", "\0", "\x7f", "\x85", "\u2028", "\u202e", "\u200b", "\u200d", "\ufeff", "\udc80", "ü", "ß", "漢字",
        "👩‍👩‍👧", "🇦🇹", "e\u0301", "xn--bcher-kva.example", "bücher.example", "a" * 64, "a" * 63 + ".example", "x" * 80, "-", "[127.0.0.1]",
        "\u037e", "\uff20", "Bcc: eve@example.org", "\r\nBcc: eve@example.org",
    )
)  # fmt: skip
INSTANTS = (NOON, NOON + timedelta(days=300_000), datetime(1, 1, 1, tzinfo=UTC), NOON.replace(tzinfo=None))


def run_message(octets: bytes) -> None:
    """A message within the wire contract, in which two readers see what was asked for; or a typed error."""
    source = Octets(octets)
    message = Message(
        message_id=source.choice(("1@example.org", source.text(40))),
        date=source.choice(INSTANTS),
        sender=_mailbox(source),
        subject=source.text(),
        to=_mailboxes(source),
        cc=_mailboxes(source),
        reply_to=_mailboxes(source),
        html=source.text() if source.chance() else None,
        text=source.rest().decode("utf-8", "surrogateescape"),
    )
    try:
        raw = compose(message)
    except InvalidMessage:
        return
    assert wire_contract_problem(raw, smtputf8=message.needs_smtputf8) is None
    assert b"\n." not in raw
    entity = by_hand(raw)
    assert entity.names == expected_names(message)
    assert by_library(raw).keys() == expected_names(message)
    assert words_by_hand(entity["Subject"]) == message.subject
    assert {name: mailboxes_by_hand(entity[name]) for name in lists(message)} == lists(message)
    bodies = [text_by_hand(leaf) for leaf in leaves_by_hand(entity)]
    wanted = [body for body in (message.text, message.html) if body is not None]
    assert bodies == [one_newline(body).replace("\n", "\r\n") for body in wanted]


def _mailboxes(source: Octets) -> tuple[Mailbox, ...]:
    return tuple(_mailbox(source) for _ in range(source.number(3)))


def _mailbox(source: Octets) -> Mailbox:
    """One that was parsed, or one that somebody made past the parser."""
    kind = source.number(4)
    if kind == 1:
        return Mailbox(EmailAddress(source.text(40), source.text(40)), source.text(40))
    if kind == 2:
        return Mailbox(PLAIN.sender.address, source.text())
    try:
        return Mailbox.parse(source.text() if kind else "Ada <ada@example.org>")
    except InvalidAddress:
        return PLAIN.sender


def run_address(octets: bytes) -> None:
    """One plain address that reads as itself, in a header too; or a typed error that repeats nothing."""
    text = octets.decode("utf-8", "surrogateescape")
    try:
        box = Mailbox.parse(text, "to")
    except InvalidAddress as refused:
        check_told(refused)
        return
    address = box.address
    assert EmailAddress.parse(str(address)) == address
    assert Mailbox.parse(str(box)) == box
    assert len(str(address).encode()) <= MAX_ADDRESS_OCTETS
    assert address.domain.isascii()
    assert address.domain == address.domain.lower()
    assert not set('\r\n\0 <>@,;:"()[]\\') & set(address.local)
    raw = compose(attrs.evolve(PLAIN, to=(box,)))
    assert mailboxes_by_hand(by_hand(raw)["To"]) == [(box.name, str(address))]


def check_told(refused: InvalidAddress) -> None:
    """The field, and words of ours."""
    assert refused.field == "to"
    assert str(refused).isascii()
    assert len(str(refused)) < 120


MESSAGE = Target("message", run_message, WORDS, (b"", b"\0\0\0\5Hello\0\0\0\1\3<p>Hello\n"))
ADDRESS = Target("address", run_address, WORDS, (b"ada@example.org", b'"A, B" <a@b.example>'))
