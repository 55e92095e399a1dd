"""What goes into a message comes out of it: for two readers, for any text, and never one header line more."""

from __future__ import annotations

import email.message
import re
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress, Mailbox
from galaxy_mail.domain.mime import Leaf, Message, Multipart, compose, write_part
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
from tests.domain.mime_strategies import (
    ADA,
    NOON,
    PLAIN,
    bodies_to_compose,
    body_texts,
    headers_to_compose,
    messages,
)

SECRET = "493817"
LISTS = {"From": "sender", "Reply-To": "reply_to", "To": "to", "Cc": "cc"}


def lists(message: Message) -> dict[str, list[tuple[str, str]]]:
    """The names and addresses that each address field of the message is to show."""
    boxes = {name: getattr(message, field) for name, field in LISTS.items()} | {"From": (message.sender,)}
    return {name: [(box.name, str(box.address)) for box in those] for name, those in boxes.items() if those}


def expected_names(message: Message) -> list[str]:
    """The names of the header fields, each once, in their order."""
    named = ["From", *(["Reply-To"] if message.reply_to else [])]
    named += [name for name in ("To", "Cc") if name in lists(message)] or ["To"]
    encoding = ["Content-Transfer-Encoding"] if message.html is None else []
    return ["Date", *named, "Subject", "Message-ID", "MIME-Version", "Content-Type", *encoding]


def without_blanks(boxes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same names and addresses with all white space taken out."""
    return [(re.sub(r"\s", "", name), address) for name, address in boxes]


# --- what two readers see --------------------------------------------------------------------------------------------


@given(headers_to_compose)
def test_a_reader_by_hand_sees_the_header_that_was_asked_for(message: Message) -> None:
    """The field names are those asked for, each once; subject, names and addresses are the input, exactly."""
    entity = by_hand(compose(message))
    assert entity.names == expected_names(message)
    assert words_by_hand(entity["Subject"]) == message.subject
    assert entity["Message-ID"] == f"<{message.message_id}>"
    assert {name: mailboxes_by_hand(entity[name]) for name in lists(message)} == lists(message)


@given(headers_to_compose)
def test_the_library_sees_the_header_that_was_asked_for(message: Message) -> None:
    """The ``email`` package reads the same, and the instant of the date to the second."""
    raw = compose(message)
    parsed = by_library(raw)
    assert parsed.keys() == expected_names(message)
    assert parsed["Subject"] == message.subject
    assert parsed["Message-ID"] == f"<{message.message_id}>"
    assert parsed["Date"].datetime == message.date.astimezone(UTC).replace(microsecond=0)
    for name, boxes in lists(message).items():
        seen = [(box.display_name, box.addr_spec) for box in parsed[name].addresses]
        # Within an encoded display name the library shows the blank between two encoded words, which is none, and a run
        # of blanks as one (CPython 3.11.7, 3.12.1, 3.13.0). The reader by hand compares those exactly.
        exactly = "=?utf-8?" not in by_hand(raw)[name]
        assert seen == boxes if exactly else without_blanks(seen) == without_blanks(boxes)


@given(bodies_to_compose)
def test_both_readers_see_the_bodies_that_were_asked_for(message: Message) -> None:
    """Text and HTML come back as they were, but for the kind of their line breaks, and in this order."""
    raw = compose(message)
    wanted = [one_newline(body) for body in (message.text, message.html) if body is not None]
    parts = [part for part in by_library(raw).walk() if not part.is_multipart()]
    assert [one_newline(part.get_content()) for part in parts] == wanted
    leaves = leaves_by_hand(by_hand(raw))
    assert [text_by_hand(leaf).replace("\r\n", "\n") for leaf in leaves] == wanted
    subtypes = ["plain"] if message.html is None else ["plain", "html"]
    assert [leaf["Content-Type"] for leaf in leaves] == [f"text/{s}; charset=utf-8" for s in subtypes]


tame = st.text("aäöü漢😀b ", max_size=14).map(lambda text: " ".join(text.split()))
tame_addresses = st.sampled_from([ADA.address, EmailAddress("a.b+c", "mail.example.com")])
# Of one encoded word: between two the library shows the blank that is none.
tame_names = st.text("aäöü漢😀b ", max_size=9).map(lambda text: " ".join(text.split()))
tame_mailboxes = st.builds(Mailbox, tame_addresses, tame_names)
tame_texts = st.text("aäb漢.<>= \n", max_size=120).map(lambda text: f"{text.rstrip()}\n")
tame_messages = st.builds(
    Message,
    message_id=st.just("1@example.org"),
    date=st.just(NOON),
    sender=tame_mailboxes,
    subject=tame,
    text=tame_texts,
    html=st.none() | tame_texts,
    to=st.tuples(tame_mailboxes),
)


def built_by_library(message: Message) -> bytes:
    """The same by ``EmailMessage``, which mistreats what is not tame: 3.12.1 encodes the comma of a folded list."""

    def address(box: Mailbox) -> Address:
        return Address(box.name, addr_spec=str(box.address))

    built = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    built["Date"] = message.date
    built["From"] = address(message.sender)
    built["To"] = [address(box) for box in message.to]
    built["Message-ID"] = f"<{message.message_id}>"
    built["Subject"] = message.subject
    built.set_content(message.text)
    if message.html is not None:
        built.add_alternative(message.html, subtype="html")
    return built.as_bytes()


def meaning(raw: bytes) -> list[object]:
    """What the library reads in a message."""
    parsed = by_library(raw)
    found: list[object] = [str(parsed[name]) for name in ("Date", "Message-ID", "Subject")]
    found += [(box.display_name, box.addr_spec) for name in ("From", "To") for box in parsed[name].addresses]
    for part in parsed.walk():
        body = None if part.is_multipart() else one_newline(part.get_content())
        found.append((part.get_content_type(), part.get_content_charset(), body))
    return found


@given(tame_messages)
def test_it_means_what_the_library_would_have_built(message: Message) -> None:
    """For texts that the library treats well, its message and ours read the same."""
    assert meaning(compose(message)) == meaning(built_by_library(message))


# --- what the wire sees ----------------------------------------------------------------------------------------------


@given(messages)
def test_the_wire_contract_holds(message: Message) -> None:
    """The gate finds nothing, and without SMTPUTF8 not one octet is beyond ASCII."""
    raw = compose(message)
    assert wire_contract_problem(raw, smtputf8=message.needs_smtputf8) is None
    assert raw.isascii() is not message.needs_smtputf8


@given(messages)
def test_no_line_tempts_a_gateway(message: Message) -> None:
    """No line begins with a dot or ``From ``; only an address that nobody may break is longer than 78 characters."""
    for line in compose(message).split(b"\r\n"):
        assert not line.startswith((b".", b"From "))
        assert len(line.decode()) <= 78 or re.fullmatch(
            rb"(?:From: |To: |Cc: |Reply-To: | )<?\S+@\S+>?,?", line
        )


@given(headers_to_compose)
def test_equal_messages_are_equal_octets(message: Message) -> None:
    """Every copy of a mail is the same: neither the clock nor dice take part."""
    assert compose(attrs.evolve(message)) == compose(message)


@given(st.text("-=_\n", max_size=8), body_texts)
def test_a_body_cannot_close_its_own_part(before: str, after: str) -> None:
    """Not even a body that knows the delimiter ends its part or opens another."""
    harmless = attrs.evolve(PLAIN, text="", html="")
    boundary = by_library(compose(harmless)).get_boundary()
    smuggled = f"{before}\n--{boundary}\nContent-Type: text/html\n\nEve\n--{boundary}--\n{after}"
    message = attrs.evolve(PLAIN, text=smuggled, html=smuggled)
    raw = compose(message)
    assert by_library(raw).get_boundary() == boundary
    assert raw.count(f"--{boundary}".encode()) == 3
    assert [text_by_hand(leaf) for leaf in leaves_by_hand(by_hand(raw))] == [
        one_newline(smuggled).replace("\n", "\r\n")
    ] * 2


trees = st.recursive(
    st.builds(
        Leaf, st.just("text/plain"), st.just("7bit"), st.binary(max_size=9).map(bytes.hex).map(str.encode)
    ),
    lambda parts: st.builds(Multipart, st.just("mixed"), st.lists(parts, min_size=1, max_size=3).map(tuple)),
    max_leaves=8,
)


def shape(part: email.message.Message[Any, Any]) -> Leaf | Multipart:
    """The tree of parts that the library reads."""
    if part.is_multipart():
        return Multipart(part.get_content_subtype(), tuple(map(shape, part.get_payload())))
    return Leaf(part["Content-Type"], part["Content-Transfer-Encoding"], str(part.get_payload()).encode())


@given(trees)
def test_parts_nest(tree: Leaf | Multipart) -> None:
    """A multipart within a multipart is read as that: no delimiter is taken for another's."""
    fields, body = write_part(tree, "1@example.org")
    assert shape(by_library(fields.encode() + b"\r\n" + body)) == tree


# --- examples --------------------------------------------------------------------------------------------------------


def test_blind_recipients_alone_leave_an_empty_group() -> None:
    """Where neither To nor Cc names anyone, To says so in a way that every reader knows."""
    parsed = by_library(compose(attrs.evolve(PLAIN, to=())))
    assert parsed["To"] == "undisclosed-recipients:;"
    assert parsed["To"].addresses == ()
    assert "To" not in by_library(compose(attrs.evolve(PLAIN, to=(), cc=(ADA,))))


def test_no_content_shows_in_a_repr() -> None:
    """A message in a log line tells its people, not its subject or bodies."""
    shown = repr(attrs.evolve(PLAIN, subject=SECRET, text=SECRET, html=SECRET))
    assert SECRET not in shown
    assert "ada" in shown


def test_an_address_beyond_ascii_stands_as_it_is() -> None:
    """RFC 6532: the local part in UTF-8, all else, the name included, in ASCII."""
    message = attrs.evolve(PLAIN, to=(Mailbox.parse("Jürgen <jürgen@bücher.example>"),))
    assert message.needs_smtputf8
    assert "\r\nTo: =?utf-8?q?J=C3=BCrgen?= <jürgen@xn--bcher-kva.example>\r\n".encode() in compose(message)


def test_a_message_octet_for_octet() -> None:
    """The whole of one message, as a person would read it on the wire."""
    message = Message(
        message_id="0197.1@example.org",
        date=NOON,
        sender=Mailbox.parse("Galaxy <no-reply@example.org>"),
        subject="Ihr Code für heute",
        text="Grüße, Ada.\n\n.\nIhr Code: 493817",
        html="<p>Code: 493817</p>\n",
        to=(Mailbox.parse('"Lovelace, Ada" <ada@example.org>'), Mailbox.parse("eve@example.org")),
    )
    assert compose(message).decode().split("\r\n") == [
        "Date: Mon, 04 May 2026 12:00:00 +0000",
        "From: Galaxy <no-reply@example.org>",
        'To: "Lovelace, Ada" <ada@example.org>,',
        " eve@example.org",
        "Subject: =?utf-8?q?Ihr_Code_f=C3=BCr_heute?=",
        "Message-ID: <0197.1@example.org>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="=_047a265f2f5b70489eb18997"',
        "",
        "--=_047a265f2f5b70489eb18997",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Gr=C3=BC=C3=9Fe, Ada.",
        "",
        "=2E",
        "Ihr Code: 493817",
        "--=_047a265f2f5b70489eb18997",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "<p>Code: 493817</p>",
        "",
        "--=_047a265f2f5b70489eb18997--",
        "",
    ]
