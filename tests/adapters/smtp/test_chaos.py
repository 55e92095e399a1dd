"""Whatever servers do, success means a copy, and each further copy stands beside an ambiguous attempt.

Many mails at once, over few connections, to a server that misbehaves at random and yet repeatably; every mail is tried until
it succeeds, as a worker would. Then the books are held against each other: copies at the server, receipts here.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from galaxy_mail.adapters.smtp import PooledSmtpSender, PoolLimits
from galaxy_mail.domain.verdicts import Envelope, Stage
from galaxy_mail.testing.smtp_rules import Deed, Moment, Output, Rule, Situation, lines
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.world import ADA, SENDER, open_gate, sending_to

MOMENTS = [Moment.GREETING, Moment.EHLO, Moment.MAIL, Moment.RCPT, Moment.DATA, Moment.DOT]
MAILS = 60
CONNECTIONS = 4


class Chaos:
    """Rules that draw from one seed: in one of eight cases something goes wrong."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def rules(self) -> list[Rule]:
        """For each moment: refuse, close, reset, garble, keep or lose at the dot."""
        made = []
        for moment in MOMENTS:
            made += [
                Rule(moment, lambda _: [lines(451, "4.3.0 chaos")], self._sometimes, code=451),
                Rule(moment, lambda _: [Deed.CLOSE], self._sometimes, keeps=False),
                Rule(moment, lambda _: [Deed.RESET], self._sometimes, keeps=moment is Moment.DOT),
                Rule(moment, lambda _: [b"?\r\n"], self._sometimes, keeps=moment is Moment.DOT),
                Rule(moment, self._usual_and_gone, self._sometimes),
            ]
        return made

    def _sometimes(self, _: Situation) -> bool:
        return self._dice.random() < 0.025

    def _usual_and_gone(self, usual: bytes) -> list[Output]:
        return [usual, self._dice.choice([Deed.CLOSE, Deed.RESET])]


async def deliver(sender: PooledSmtpSender, number: int) -> tuple[int, int]:
    """Try until it is accepted; how often it was, and how often that was in doubt."""
    message = b"Message-ID: <%d@example.org>\r\n\r\n.%s\r\n" % (number, b"x" * number)
    ambiguous = 0
    while True:
        receipt = await sender.send(Envelope(SENDER, (ADA,)), message, open_gate)
        # Asked here, for the server hears late of those that are gone.
        assert len(sender._open) + len(sender._connecting) <= CONNECTIONS
        if receipt.verdict.accepted:
            return 1, ambiguous
        assert receipt.verdict.ambiguous <= (receipt.verdict.stage is Stage.DOT)
        ambiguous += receipt.verdict.ambiguous


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("seed", range(4))
async def test_no_mail_is_lost_and_every_copy_is_accounted_for(seed: int, pipelining: bool) -> None:
    """P3: per mail, successes ≤ copies ≤ successes + ambiguous attempts; and no copy is torn."""
    async with ScriptedSmtpServer(Chaos(seed).rules(), Offered(pipelining=pipelining)) as server:
        async with sending_to(
            server, pool=PoolLimits(connections=CONNECTIONS, mails=10, pause=0.001)
        ) as sender:
            books = await asyncio.gather(*[deliver(sender, number) for number in range(MAILS)])
        copies = Counter(copy.message_id for copy in server.copies)
        for number, (successes, ambiguous) in enumerate(books):
            assert successes <= copies[f"{number}@example.org"] <= successes + ambiguous
        for copy in server.copies:
            number = int((copy.message_id or "").partition("@")[0])
            assert copy.octets.endswith(b"\r\n.%s\r\n" % (b"x" * number))
        assert server.ledger.breaches == []
