from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.smtp.envelopes import Offers, commands, transparent
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.verdicts import Envelope, Fault
from tests.adapters.smtp.world import ADA, BOB, MESSAGE, SENDER, TO_ADA

ALL = Offers(pipelining=True, eight_bit=True, smtputf8=True, size=1_000)
FINNISH = EmailAddress("ääkköset", "example.org")
UTF8 = "Subject: hyvää\r\n\r\n".encode()


def said(envelope: Envelope, message: bytes, offers: Offers) -> list[bytes]:
    """The commands of a mail that can be sent."""
    lines = commands(envelope, message, offers)
    assert not isinstance(lines, Fault)
    return lines


@pytest.mark.parametrize(
    "text, offers",
    [
        ("host", Offers()),
        ("PIPELINING", Offers()),
        ("host\nPIPELINING\n8BITMIME\nSMTPUTF8\nSTARTTLS", Offers(True, True, True, True)),
        ("host\nsize 35882577\npipelining", Offers(pipelining=True, size=35_882_577)),
        ("host\nSIZE", Offers(size=0)),
        ("host\nSIZE 0", Offers(size=0)),
        ("host\nSIZE lots", Offers(size=0)),
        ("host\nSIZE " + "9" * 5_000, Offers(size=0)),
        ("host\nAUTH PLAIN login", Offers(auth=frozenset({"PLAIN", "LOGIN"}))),
        ("host\n\n  \nX-SIZE 1\nAUTH", Offers()),
    ],
)
def test_offers_are_read_by_keyword(text: str, offers: Offers) -> None:
    """Whatever their case; the first line is a name, and a SIZE that cannot be read sets no limit."""
    assert Offers.parse(text) == offers


@given(st.text())
def test_any_text_can_be_read_as_offers(text: str) -> None:
    """A stranger's text raises nothing, and a limit is never negative."""
    assert (Offers.parse(text).size or 0) >= 0


def test_commands_name_sender_size_and_everybody() -> None:
    """MAIL with what is offered, a RCPT for each recipient in order, DATA."""
    assert commands(Envelope(SENDER, (ADA, BOB)), MESSAGE, ALL) == [
        b"MAIL FROM:<no-reply@example.org> SIZE=%d\r\n" % len(MESSAGE),
        b"RCPT TO:<ada@example.org>\r\n",
        b"RCPT TO:<bob@example.org>\r\n",
        b"DATA\r\n",
    ]


def test_no_parameter_is_said_that_is_not_offered() -> None:
    """Without SIZE, MAIL is bare."""
    assert said(TO_ADA, MESSAGE, Offers())[0] == b"MAIL FROM:<no-reply@example.org>\r\n"


def test_smtputf8_and_8bitmime_are_said_only_where_they_are_needed() -> None:
    """SMTPUTF8 for an address that is not ASCII, 8BITMIME for octets that are not (RFC 6531 section 3.4)."""
    lines = said(Envelope(SENDER, (FINNISH,), smtputf8=True), UTF8, ALL)
    assert lines[0].endswith(b" SIZE=%d SMTPUTF8 BODY=8BITMIME\r\n" % len(UTF8))
    assert lines[1] == "RCPT TO:<ääkköset@example.org>\r\n".encode()
    assert said(Envelope(SENDER, (FINNISH,)), MESSAGE, ALL)[0].endswith(b" SMTPUTF8\r\n")


def test_an_address_with_a_line_feed_is_never_written() -> None:
    """The type promises that there is none; should there be one, no second command is smuggled in."""
    evil = Envelope(SENDER, (EmailAddress("a>\r\nRCPT TO:<b", "example.org"),))
    with pytest.raises(AssertionError, match="line feed"):
        commands(evil, MESSAGE, ALL)


@pytest.mark.parametrize(
    "envelope, message, offers, fault",
    [
        (TO_ADA, MESSAGE, Offers(), None),
        (TO_ADA, b"x" * 1_000, ALL, None),
        (TO_ADA, b"x" * 1_001, ALL, Fault.TOO_LARGE),
        (TO_ADA, b"x" * 1_001, Offers(size=0), None),
        (Envelope(SENDER, (FINNISH,)), MESSAGE, Offers(), Fault.SMTPUTF8_MISSING),
        (Envelope(FINNISH, (ADA,)), MESSAGE, Offers(), Fault.SMTPUTF8_MISSING),
        (Envelope(SENDER, (ADA,), smtputf8=True), MESSAGE, Offers(), Fault.SMTPUTF8_MISSING),
        (Envelope(SENDER, (ADA,), smtputf8=True), UTF8, Offers(smtputf8=True), Fault.SMTPUTF8_MISSING),
        (Envelope(SENDER, (ADA,), smtputf8=True), UTF8, ALL, None),
        (TO_ADA, UTF8, Offers(), Fault.UNRENDERABLE),
    ],
)
def test_a_mail_is_held_against_the_offers(
    envelope: Envelope, message: bytes, offers: Offers, fault: Fault | None
) -> None:
    """Size, SMTPUTF8 and 8BITMIME are refused here, before anything is said."""
    answer = commands(envelope, message, offers)
    assert (answer if isinstance(answer, Fault) else None) is fault


MESSAGES = st.lists(st.sampled_from([b"", b".", b"..", b"a", b".a", b"a.", b". ", b"\r\n"]), max_size=8).map(
    lambda lines: b"".join(line + b"\r\n" for line in lines)
)


@given(MESSAGES)
def test_dot_stuffing_is_undone_by_the_receiver(message: bytes) -> None:
    """RFC 5321 section 4.5.2: what the receiver makes of it is the message, and the dot is its only end."""
    octets = transparent(message)
    assert octets.endswith(b".\r\n")
    lines = octets.split(b"\r\n")[:-1]
    assert lines.index(b".") == len(lines) - 1
    assert b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-1]) == message


@given(st.lists(st.sampled_from([b"\r\n", b"\n", b".", b"a"]), max_size=12).map(b"".join))
def test_no_message_holds_the_end_of_another(message: bytes) -> None:
    """Even one that is not finished, with bare line feeds: no dot stands alone on a line before the last."""
    body = transparent(message)[: -len(b".\r\n")]
    assert b"." not in body.replace(b"\r", b"").split(b"\n")


def test_an_open_last_line_is_closed() -> None:
    """The dot needs a line of its own."""
    assert transparent(b"a: b\r\n\r\nno end") == b"a: b\r\n\r\nno end\r\n.\r\n"
    assert transparent(b"") == b".\r\n"
