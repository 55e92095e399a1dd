"""What a server offers, and the commands that name a mail's sender and recipients to it."""

from __future__ import annotations

from typing import Self

import attrs

from galaxy_mail.domain.verdicts import Envelope, Fault


@attrs.frozen
class Offers:
    """What the reply to EHLO offers (RFC 5321 section 4.1.1.1), as far as we use it."""

    pipelining: bool = False  # RFC 2920
    eight_bit: bool = False  # RFC 6152
    smtputf8: bool = False  # RFC 6531
    starttls: bool = False  # RFC 3207
    size: int | None = None  # RFC 1870; 0 is "no fixed limit", None "not offered"
    auth: frozenset[str] = frozenset()  # RFC 4954, in upper case

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the lines of the reply; the first one is the server's name."""
        words = [line.upper().split() for line in text.split("\n")[1:]]
        offered = {line[0]: line[1:] for line in words if line}
        size = offered.get("SIZE")
        return cls(
            pipelining="PIPELINING" in offered,
            eight_bit="8BITMIME" in offered,
            smtputf8="SMTPUTF8" in offered,
            starttls="STARTTLS" in offered,
            size=None if size is None else _number(size),
            auth=frozenset(offered.get("AUTH", ())),
        )


def _number(words: list[str]) -> int:
    # Twenty digits are the most RFC 1870 allows, and what cannot be read sets no limit.
    word = words[0] if words else "0"
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 20 else 0


def commands(envelope: Envelope, message: bytes, offers: Offers) -> list[bytes] | Fault:
    """MAIL, a RCPT for each recipient, and DATA, each with its CRLF; or why this server cannot be given this mail.

    SMTPUTF8 is needed for an address that is not ASCII, and where the envelope says that a header holds one.
    """
    rcpts = [f"RCPT TO:<{address}>\r\n" for address in envelope.recipients]
    sender = str(envelope.sender)
    smtputf8 = envelope.smtputf8 or not (sender.isascii() and "".join(rcpts).isascii())
    eight_bit = not message.isascii()
    if smtputf8 and not (offers.smtputf8 and (offers.eight_bit or not eight_bit)):
        return Fault.SMTPUTF8_MISSING
    if eight_bit and not offers.eight_bit:
        return Fault.UNRENDERABLE
    if offers.size and len(message) > offers.size:
        return Fault.TOO_LARGE
    size = "" if offers.size is None else f" SIZE={len(message)}"
    mail = f"MAIL FROM:<{sender}>{size}{' SMTPUTF8' * smtputf8}{' BODY=8BITMIME' * eight_bit}\r\n"
    lines = [line.encode() for line in (mail, *rcpts, "DATA\r\n")]
    assert b"".join(lines).count(b"\n") == len(lines), "an address holds a line feed"
    return lines


def transparent(message: bytes) -> bytes:
    """The message as DATA wants it: lines that begin with a dot get another one, and a lone dot ends it.

    RFC 5321 section 4.5.2. A message whose last line is open is closed with CRLF first. A finished message has no line feed
    without its carriage return; should one come here, a dot behind it is doubled too, so that no server that takes a bare
    line feed for a line's end can be made to see two messages in one (SMTP smuggling).
    """
    stuffed = message.replace(b"\n.", b"\n..")
    if message.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if message.endswith(b"\r\n") or not message else b"\r\n.\r\n")
