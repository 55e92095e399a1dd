"""A line of the settings changes what a real conversation leads to, and nothing that the server accepted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.records import DeliveryRecord
from galaxy_mail.testing.smtp_rules import Moment, Rule, reply
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer

MakeSettings = Callable[..., MailSettings]

BANNED = reply(Moment.RCPT, 550, "5.7.606 Access denied, banned sending IP [192.0.2.1]", nth=1)
FULL = reply(Moment.RCPT, 452, "4.2.2 over quota")
FAILED = reply(Moment.DOT, 554, "Transaction failed", nth=1)


async def sent_through(settings: MailSettings, server: ScriptedSmtpServer, *rules: Rule) -> DeliveryRecord:
    """What became of one mail, once nothing was left to do."""
    server.rules += rules
    async with open_mail(settings) as mail:
        await mail.migrate()
        delivery_id = await mail.service.enqueue_template(
            "welcome", to="ada@example.org", context={"name": "Ada"}
        )
        await mail.worker().run_until_empty()
        return await mail.service.show(delivery_id)


@pytest.mark.parametrize(
    "rule, line, burned",
    [
        (BANNED, "rcpt 550/5.7.606 -> transient policy keep  # delisting takes a while", 1),
        (FAILED, "dot 554/- -> transient transport burn", 2),
    ],
)
async def test_a_refusal_that_is_not_meant_is_tried_again(
    make_settings: MakeSettings, server: ScriptedSmtpServer, rule: Rule, line: str, burned: int
) -> None:
    """What would be a dead letter is sent at the next attempt, and costs what the line says."""
    record = await sent_through(
        make_settings(verdicts=["dot 550 -> permanent policy burn", line]), server, rule
    )
    assert record.summary.status is DeliveryStatus.SENT
    assert record.summary.attempts == burned
    assert len(record.attempts) == 2
    assert len(server.copies) == 1


@pytest.mark.parametrize("rule", [BANNED, FAILED])
async def test_without_the_line_it_is_final(
    make_settings: MakeSettings, server: ScriptedSmtpServer, rule: Rule
) -> None:
    """The table decides where no line speaks of it."""
    record = await sent_through(make_settings(verdicts=["mail 550 -> transient policy keep"]), server, rule)
    assert record.summary.reason is DeadLetterReason.REFUSED
    assert len(record.attempts) == 1


async def test_a_hopeless_deferral_ends_at_once(
    make_settings: MakeSettings, server: ScriptedSmtpServer
) -> None:
    """A mailbox that is always full need not be asked twelve times."""
    record = await sent_through(
        make_settings(verdicts=["rcpt 4.2.2 -> permanent recipient burn"]), server, FULL
    )
    assert record.summary.reason is DeadLetterReason.REFUSED
    assert [(attempt.code, attempt.blame) for attempt in record.attempts] == [(452, "recipient")]
    assert server.copies == []
