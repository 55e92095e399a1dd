"""The laws of the SmtpSender port."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import attrs
import pytest

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.ports import SmtpSender
from galaxy_mail.domain.verdicts import Envelope, Fault, SmtpReply, Stage

SENDER = EmailAddress("no-reply", "example.org")
ADA, BOB, EVE = (EmailAddress(name, "example.org") for name in ("ada", "bob", "eve"))
HEADER = b"Message-ID: <1@example.org>\r\nSubject: laws\r\n\r\n"
AWKWARD = (
    HEADER + b".\r\n..\r\n...a\r\n.\r\n\r\n. \r\n" + b"x" * 998 + b"\r\n.last\r\n",
    HEADER + b".\r\n",
    b".hidden: true\r\n\r\nbegins with a dot\r\n",
    HEADER + b"".join(b"%06d. a line of a large message\r\n" % number for number in range(10_000)),
)
MANY = 50


@attrs.frozen
class Received:
    """A message that came through: the recipients it was accepted for, and its octets."""

    recipients: tuple[str, ...]
    octets: bytes


class SenderHarness(Protocol):
    """A fresh sender, and the hands of a test on the server behind it."""

    @property
    def sender(self) -> SmtpSender:
        """The sender under test."""
        ...

    def refuse(self, address: EmailAddress, reply: SmtpReply) -> None:
        """From now on the server answers RCPT for ``address`` with ``reply``."""
        ...

    def break_down(self) -> None:
        """From now on the server closes each connection without a word at MAIL."""
        ...

    def received(self) -> Sequence[Received]:
        """What the server has taken responsibility for, in any order."""
        ...


class SmtpSenderContract:
    """What every SmtpSender does. Override ``harness`` with a fixture that closes the sender in the end.

    A sender that delivers nothing overrides a law with what it does instead, and says so beside it.
    """

    @pytest.fixture
    def harness(self) -> SenderHarness:
        """The sender under test, and the hands on its server."""
        raise NotImplementedError

    @pytest.mark.asyncio
    async def test_every_recipient_gets_its_own_verdict(self, harness: SenderHarness) -> None:
        """In the envelope's order: what RCPT said to those it refused, what the dot said to the others."""
        harness.refuse(BOB, SmtpReply(550, "5.1.1 no such user"))
        harness.refuse(EVE, SmtpReply(450, "4.2.1 try later"))
        envelope = Envelope(SENDER, (BOB, ADA, EVE))
        receipt = await harness.sender.send(envelope, HEADER, _open)
        assert [(v.outcome, v.stage, v.code) for v in receipt.verdicts] == [
            (AttemptOutcome.PERMANENT_ERROR, Stage.RCPT, 550),
            (AttemptOutcome.SUCCESS, Stage.DOT, 250),
            (AttemptOutcome.TRANSIENT_ERROR, Stage.RCPT, 450),
        ]
        assert [each.recipients for each in harness.received()] == [(str(ADA),)]

    @pytest.mark.asyncio
    @pytest.mark.parametrize("message", AWKWARD, ids=["dots", "a lone dot", "first a dot", "large"])
    async def test_the_message_arrives_octet_for_octet(self, harness: SenderHarness, message: bytes) -> None:
        """Dots, long lines and large bodies come out as they went in."""
        receipt = await harness.sender.send(Envelope(SENDER, (ADA,)), message, _open)
        assert receipt.verdict.accepted
        assert [each.octets for each in harness.received()] == [message]

    @pytest.mark.asyncio
    @pytest.mark.parametrize("fault", [Fault.EXPIRED, Fault.CLAIM_LOST])
    async def test_a_closed_gate_withholds_the_body(self, harness: SenderHarness, fault: Fault) -> None:
        """The gate is asked once; its fault is the verdict, at the stage LOCAL, and nothing is received."""
        asked: list[Fault] = []

        def gate() -> Fault | None:
            asked.append(fault)
            return fault

        receipt = await harness.sender.send(Envelope(SENDER, (ADA, BOB)), HEADER, gate)
        assert [(v.stage, v.fault, v.ambiguous) for v in receipt.verdicts] == [
            (Stage.LOCAL, fault, False)
        ] * 2
        assert asked == [fault]
        assert harness.received() == []

    @pytest.mark.asyncio
    async def test_a_failure_is_a_verdict(self, harness: SenderHarness) -> None:
        """A server that breaks down burns nothing, and is told by a verdict for each recipient."""
        harness.break_down()
        receipt = await harness.sender.send(Envelope(SENDER, (ADA, BOB)), HEADER, _open)
        assert [(v.outcome, v.fault, v.burns_attempt) for v in receipt.verdicts] == [
            (AttemptOutcome.TRANSIENT_ERROR, Fault.CLOSED, False)
        ] * 2
        assert harness.received() == []

    @pytest.mark.asyncio
    async def test_concurrent_sends_do_not_mix(self, harness: SenderHarness) -> None:
        """Of many mails at once each reaches its own recipient, and a refusal meets the one it is for."""
        people = [EmailAddress(f"person{number}", "example.org") for number in range(MANY)]
        for refused in people[::7]:
            harness.refuse(refused, SmtpReply(550, f"5.1.1 no {refused}"))
        receipts = await asyncio.gather(
            *[harness.sender.send(Envelope(SENDER, (person,)), _to(person), _open) for person in people]
        )
        refusals = {str(p) for p, r in zip(people, receipts, strict=True) if not r.verdict.accepted}
        assert refusals == {str(person) for person in people[::7]}
        assert sorted((each.recipients, each.octets) for each in harness.received()) == sorted(
            ((str(person),), _to(person)) for person in people if str(person) not in refusals
        )

    @pytest.mark.asyncio
    async def test_closing_twice_is_harmless(self, harness: SenderHarness) -> None:
        """``aclose`` may be called again, also at once, and before anything was sent."""
        await asyncio.gather(harness.sender.aclose(), harness.sender.aclose())
        await harness.sender.aclose()
        assert harness.received() == []


def _open() -> None:
    """A gate that stands open."""


def _to(person: EmailAddress) -> bytes:
    return HEADER + f"to {person}\r\n".encode()
