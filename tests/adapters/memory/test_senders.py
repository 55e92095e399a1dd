from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from galaxy_mail.adapters.memory.senders import Answer, RecordingSmtpSender, ScriptedSmtpSender
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.verdict_overrides import parse_overrides
from galaxy_mail.domain.verdict_table import VerdictTable
from galaxy_mail.domain.verdicts import Envelope, Fault, SmtpReply, Stage
from galaxy_mail.testing.contracts.smtp_sender import Received, SenderHarness, SmtpSenderContract

SENDER, ADA, EVE = (EmailAddress(name, "example.org") for name in ("no-reply", "ada", "eve"))
LATER: Answer = (Stage.RCPT, SmtpReply(450, "4.2.1 later"))


class MemoryHarness:
    """A scripted sender, whose script is what the test has asked for."""

    def __init__(self) -> None:
        self.sender = ScriptedSmtpSender(self._answer)
        self._refused: dict[EmailAddress, SmtpReply] = {}
        self._broken = False

    def _answer(self, address: EmailAddress, _: int) -> Answer | None:
        if self._broken:
            return Stage.MAIL, Fault.CLOSED
        refusal = self._refused.get(address)
        return (Stage.RCPT, refusal) if refusal else None

    def refuse(self, address: EmailAddress, answer: SmtpReply) -> None:
        """By the script."""
        self._refused[address] = answer

    def break_down(self) -> None:
        """By the script."""
        self._broken = True

    def received(self) -> Sequence[Received]:
        """What was kept."""
        return [Received(tuple(map(str, mail.recipients)), mail.message) for mail in self.sender.sent]


class TestScriptedSmtpSender(SmtpSenderContract):
    @pytest.fixture
    def harness(self) -> SenderHarness:
        """One that keeps everything."""
        return MemoryHarness()


async def test_a_script_may_list_the_answers_of_an_address() -> None:
    """First attempt, second attempt; after the last one it accepts, as it does whom it does not name."""
    sender = ScriptedSmtpSender({str(EVE): [LATER, None, (Stage.DOT, Fault.TIMEOUT)]})
    envelope = Envelope(SENDER, (ADA, EVE))
    receipts = [await sender.send(envelope, b"", lambda: None) for _ in range(4)]
    assert [receipt.verdicts[0].accepted for receipt in receipts] == [True] * 4
    assert [(r.verdicts[1].accepted, r.verdicts[1].ambiguous) for r in receipts] == [
        (False, False),
        (True, False),
        (False, True),
        (True, False),
    ]
    assert [mail.recipients for mail in sender.sent] == [(ADA,), (ADA, EVE), (ADA,), (ADA, EVE)]
    assert sender.attempts == {ADA: 4, EVE: 4}


async def test_its_answers_mean_what_a_host_says() -> None:
    """A host can try its overrides without a server."""
    script = {str(ADA): [(Stage.RCPT, SmtpReply(550, "5.7.606 banned"))] * 2}
    table = VerdictTable(parse_overrides(["rcpt 5.7.606 -> transient policy keep"]))
    for verdicts, outcome in (
        (None, AttemptOutcome.PERMANENT_ERROR),
        (table, AttemptOutcome.TRANSIENT_ERROR),
    ):
        receipt = await ScriptedSmtpSender(script, verdicts).send(Envelope(SENDER, (ADA,)), b"", lambda: None)
        assert receipt.verdict.outcome is outcome


async def test_a_failure_before_the_body_does_not_ask_the_gate() -> None:
    """The gate belongs to the body: where nobody was accepted, it is not asked."""
    sender = ScriptedSmtpSender(lambda *_: (Stage.CONNECT, Fault.UNREACHABLE))
    receipt = await sender.send(Envelope(SENDER, (ADA,)), b"", lambda: pytest.fail("asked"))
    assert receipt.verdict.outcome is AttemptOutcome.TRANSIENT_ERROR


async def test_the_recording_one_takes_everything() -> None:
    """It keeps envelope, message and the queue id that the receipt names, and a test can wait for it."""
    sender = RecordingSmtpSender()
    waiting = asyncio.create_task(sender.wait_for(1))
    receipt = await sender.send(Envelope(SENDER, (ADA, EVE)), b"octets", lambda: None)
    await waiting
    mail = sender.sent[0]
    assert (mail.message, mail.recipients, mail.remote_id) == (b"octets", (ADA, EVE), receipt.remote_id)
    assert repr(sender) == "<RecordingSmtpSender took 1 mails>"
