"""The relay is down while a thousand mails are due: it is left alone, and everybody is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from dependency_injector import providers

from galaxy_mail.adapters.memory.notifier import RecordingAdminNotifier
from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.orders import Letter
from galaxy_mail.testing.smtp_rules import Moment, reply
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer

DUE = 1_000
WORKERS = 2


@pytest.mark.parametrize(
    "moment, code, text",
    [(Moment.GREETING, 421, "4.3.2 going down"), (Moment.MAIL, 550, "5.7.1 not your sender")],
    ids=["relay", "sender"],
)
async def test_a_thousand_due_mails_leave_a_broken_relay_alone(
    make_settings: Callable[..., MailSettings],
    server: ScriptedSmtpServer,
    moment: Moment,
    code: int,
    text: str,
) -> None:
    """Few attempts for many mails, none burned; when it is back each is sent once; the beginning and the end are told."""
    server.rules += [reply(moment, code, text)]
    notifier = RecordingAdminNotifier()
    async with open_mail(make_settings()) as mail:
        await mail.migrate()
        mail.container.notifier.override(providers.Object(notifier))
        letters = [Letter(to=f"u{i}@example.org", context={"name": "Ada"}) for i in range(DUE)]
        await mail.service.enqueue_bulk("welcome", letters)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(mail.worker().run_until_empty())
            await notifier.wait_for_outages(1)
            for _ in range(20):
                await mail.service.stats()
            server.rules.clear()
        stats = await mail.service.stats()
        schema = make_settings().schema
        failed = await mail.pool.fetchval(
            f"select count(*) from \"{schema}\".mail_attempts where outcome <> 'success'"
        )
        burned = await mail.pool.fetchval(f'select sum(attempts - 1) from "{schema}".mail_deliveries')
    assert stats[DeliveryStatus.SENT] == len(server.copies) == DUE
    assert len({copy.recipients for copy in server.copies}) == DUE
    assert burned == 0
    assert 0 < failed < DUE / 5
    begun, ended = notifier.outages
    assert (begun.closed_at, begun.outage_id) == (None, ended.outage_id)
    assert ended.closed_at is not None
    assert begun.said == str(code)
