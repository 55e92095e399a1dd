from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from galaxy_mail.adapters.noop.sender import NoopSmtpSender
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.verdicts import Envelope, SmtpReply
from galaxy_mail.testing.contracts.smtp_sender import Received, SenderHarness, SmtpSenderContract

SENDER, ADA, EVE = (EmailAddress(name, "example.org") for name in ("no-reply", "ada", "eve"))


class NoopHarness:
    """There is no server that could refuse, break down or receive."""

    def __init__(self) -> None:
        self.sender = NoopSmtpSender()

    def refuse(self, address: EmailAddress, answer: SmtpReply) -> None:
        """Nobody does."""

    def break_down(self) -> None:
        """Nothing to break."""

    def received(self) -> Sequence[Received]:
        """Nothing ever."""
        return []


class TestNoopSmtpSender(SmtpSenderContract):
    """Exempt from what needs a server; what it does instead is stated law by law."""

    @pytest.fixture
    def harness(self) -> SenderHarness:
        """One that does nothing."""
        return NoopHarness()

    async def test_every_recipient_gets_its_own_verdict(self, harness: SenderHarness) -> None:
        """Exempt from refusals: there is a verdict for each recipient, and it accepts."""
        receipt = await harness.sender.send(Envelope(SENDER, (ADA, EVE)), b"", lambda: None)
        assert [verdict.accepted for verdict in receipt.verdicts] == [True, True]

    async def test_the_message_arrives_octet_for_octet(  # type: ignore[override]
        self, harness: SenderHarness
    ) -> None:
        """Exempt: no message arrives anywhere."""
        await harness.sender.send(Envelope(SENDER, (ADA,)), b"octets", lambda: None)
        assert harness.received() == []

    async def test_a_failure_is_a_verdict(self, harness: SenderHarness) -> None:
        """Exempt: it never fails."""
        harness.break_down()
        receipt = await harness.sender.send(Envelope(SENDER, (ADA,)), b"", lambda: None)
        assert receipt.verdict.accepted

    async def test_concurrent_sends_do_not_mix(self, harness: SenderHarness) -> None:
        """Exempt: nothing is sent, so nothing can mix; the receipt fits its envelope."""
        receipt = await harness.sender.send(Envelope(SENDER, (ADA, EVE, ADA)), b"", lambda: None)
        assert len(receipt.verdicts) == 3


async def test_it_logs_whom_it_was_for_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """One line at INFO with masked addresses, and nothing of the message."""
    with caplog.at_level(logging.INFO, "galaxy_mail.smtp"):
        await NoopSmtpSender().send(Envelope(SENDER, (ADA, EVE)), b"code 493817", lambda: None)
    assert caplog.messages == [
        "not sent, since no sender is wired: 11 octets to a***@example.org, e***@example.org"
    ]
