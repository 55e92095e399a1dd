"""Short lines for talking to a session, and sessions brought to a point of the conversation."""

from __future__ import annotations

from galaxy_mail.adapters.smtp.session import Session
from galaxy_mail.adapters.smtp.transaction import BodyWanted, Event, Finished, Transaction
from galaxy_mail.domain.verdicts import Signal, SmtpReply, Stage

MAIL, RCPT, RCPT2, DATA = b"MAIL FROM:<a>\r\n", b"RCPT TO:<b>\r\n", b"RCPT TO:<c>\r\n", b"DATA\r\n"
ONE, TWO = [MAIL, RCPT, DATA], [MAIL, RCPT, RCPT2, DATA]
OK, GO = b"250 ok\r\n", b"354 go\r\n"
NO, LATER, BYE = b"550 no\r\n", b"450 later\r\n", b"421 bye\r\n"
BODY = b"hello\r\n.\r\n"


def reply(octets: bytes) -> SmtpReply:
    """The reply that these octets are."""
    return SmtpReply(int(octets[:3]), octets[4:-2].decode())


def begun(lines: list[bytes], *, pipelining: bool = True) -> tuple[Session, Transaction]:
    """A session with one mail under way, whose first commands are written."""
    session = Session(pipelining=pipelining)
    transaction = session.begin(lines)
    session.take_outgoing()
    return session, transaction


def in_body(lines: list[bytes]) -> tuple[Session, Transaction]:
    """A session that has been told to send a body."""
    session, transaction = begun(lines)
    assert session.receive(OK * (len(lines) - 1) + GO) == [BodyWanted(transaction)]
    session.open_body(transaction, BODY)
    return session, transaction


def at_dot(lines: list[bytes]) -> tuple[Session, Transaction]:
    """A session whose body and dot are written."""
    session, transaction = in_body(lines)
    assert session.next_block() == BODY
    return session, transaction


def riding(session: Session) -> Transaction:
    """A mail whose commands are written behind the dot."""
    rider = session.begin(ONE)
    assert session.take_outgoing() == b"".join(ONE)
    return rider


def signals(events: list[Event]) -> list[list[tuple[Stage, Signal] | None]]:
    """What the transactions learnt that are finished by these events."""
    return [event.transaction.signals for event in events if isinstance(event, Finished)]
