from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from galaxy_mail.adapters.smtp import PooledSmtpSender, PoolLimits
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.verdicts import SmtpReply
from galaxy_mail.testing.contracts.smtp_sender import Received, SenderHarness, SmtpSenderContract
from galaxy_mail.testing.smtp_rules import Moment, close, reply
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.world import config_for


class RealHarness:
    """A pool of three connections and a scripted server."""

    def __init__(self, server: ScriptedSmtpServer) -> None:
        self.server = server
        self.sender = PooledSmtpSender(config_for(server, pool=PoolLimits(connections=3, mails=7)))

    def refuse(self, address: EmailAddress, answer: SmtpReply) -> None:
        """By a rule at RCPT."""
        self.server.rules.append(reply(Moment.RCPT, answer.code, answer.text, recipient=str(address)))

    def break_down(self) -> None:
        """By a rule at MAIL."""
        self.server.rules.append(close(Moment.MAIL))

    def received(self) -> Sequence[Received]:
        """From the ledger."""
        return [Received(copy.recipients, copy.octets) for copy in self.server.copies]


class TestPooledSmtpSender(SmtpSenderContract):
    """Where PIPELINING is offered, and where it is not."""

    @pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
    async def harness(self, request: pytest.FixtureRequest) -> AsyncIterator[SenderHarness]:
        """A fresh server and sender."""
        async with ScriptedSmtpServer(offered=Offered(pipelining=request.param)) as server:
            harness = RealHarness(server)
            yield harness
            await harness.sender.aclose()
            assert server.ledger.breaches == []
            assert server.peak <= 3
