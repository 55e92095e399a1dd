from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from uuid import UUID

import attrs
import pytest

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.adapters.smtp import SmtpAdminNotifier
from galaxy_mail.domain.addresses import Mailbox
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.errors import InfrastructureError, InvalidSettings
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.ports import AdminNotifier
from galaxy_mail.testing.contracts.admin_notifier import AdminNotifierContract
from galaxy_mail.testing.smtp_rules import Moment, Rule, hang, reply
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer
from tests.adapters.smtp.world import ADA, BOB, SENDER, config_for

NOTICE = Notice(
    UUID(int=1),
    DeliveryStatus.DEAD_LETTERED,
    DeadLetterReason.REFUSED,
    "welcome",
    attempts=3,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    ended_at=datetime(2026, 1, 2, tzinfo=UTC),
    refused=("e***@example.org",),
    detail="5.1.1 no such user",
)


def notifier_for(server: ScriptedSmtpServer) -> SmtpAdminNotifier:
    """A notifier that tells Ada and Bob."""
    return SmtpAdminNotifier(config_for(server), Mailbox(SENDER, "Galaxy"), (ADA, BOB), ManualClock())


class TestSmtpAdminNotifier(AdminNotifierContract):
    @pytest.fixture
    async def notifier(self) -> AsyncIterator[AdminNotifier]:
        """One with a server that takes everything."""
        async with ScriptedSmtpServer() as server:
            yield notifier_for(server)


async def test_every_administrator_gets_a_mail_that_says_it_all() -> None:
    """Subject, delivery, reason, the masked refused and the last reply."""
    async with ScriptedSmtpServer() as server:
        await notifier_for(server).notify(NOTICE)
    (copy,) = server.copies
    assert copy.recipients == (str(ADA), str(BOB))
    mail = message_from_bytes(copy.octets, policy=policy.default)
    assert mail["Subject"] == NOTICE.headline
    assert mail["From"] == "Galaxy <no-reply@example.org>"
    body = mail.get_content()
    for word in (
        str(NOTICE.delivery_id),
        "welcome",
        "refused",
        "3",
        "e***@example.org",
        "5.1.1 no such user",
    ):
        assert word in body


async def test_an_uncertain_mail_is_told_with_what_to_do() -> None:
    """Who has to decide learns that the server may have it, and how it is sent once more."""
    async with ScriptedSmtpServer() as server:
        await notifier_for(server).notify(attrs.evolve(NOTICE, reason=DeadLetterReason.UNCERTAIN))
    body = message_from_bytes(server.copies[0].octets, policy=policy.default).get_content()
    assert "may have it" in " ".join(body.split())
    assert "galaxy-mail resend" in " ".join(body.split())


async def test_a_notice_told_again_is_a_mail_of_its_own() -> None:
    """The same delivery may die twice; no reader may take the second one for a copy."""
    clock = ManualClock()
    async with ScriptedSmtpServer() as server:
        notifier = SmtpAdminNotifier(config_for(server), Mailbox(SENDER), (ADA,), clock)
        await notifier.notify(NOTICE)
        clock.advance(datetime.resolution)
        await notifier.notify(NOTICE)
    assert len({copy.message_id for copy in server.copies}) == 2


async def test_no_connection_is_left_behind() -> None:
    """Each notice has its own, and says QUIT."""
    async with ScriptedSmtpServer() as server:
        await notifier_for(server).notify(NOTICE)
        await server.wait_for(Moment.GONE)
        assert server.ledger.said("QUIT") == [b"QUIT"]


async def test_one_bad_address_does_not_make_a_notice_untold(caplog: pytest.LogCaptureFixture) -> None:
    """Who can be told is told, once; who cannot is named in the log, masked, with the reason."""
    async with ScriptedSmtpServer([reply(Moment.RCPT, 550, "5.1.1 no", recipient=str(BOB))]) as server:
        await notifier_for(server).notify(NOTICE)
        assert [copy.recipients for copy in server.copies] == [(str(ADA),)]
    assert f"{BOB.masked} is not told" in caplog.text
    assert "550 at rcpt" in caplog.text


@pytest.mark.parametrize(
    "rule, words",
    [
        (reply(Moment.RCPT, 550, "5.1.1 no"), "550 at rcpt"),
        (reply(Moment.GREETING, 554, "5.3.2 closed"), "554 at greeting"),
    ],
    ids=["all refused", "relay down"],
)
async def test_what_was_accepted_for_nobody_is_an_error(rule: Rule, words: str) -> None:
    """So that it will be told again; the error names code and stage."""
    async with ScriptedSmtpServer([rule]) as server:
        with pytest.raises(InfrastructureError, match=words):
            await notifier_for(server).notify(NOTICE)


async def test_a_caller_that_has_waited_enough_is_let_go_at_once() -> None:
    """Cancelled, it closes its connection and does not wait for anything."""
    async with ScriptedSmtpServer([hang(Moment.GREETING)]) as server:
        telling = asyncio.create_task(notifier_for(server).notify(NOTICE))
        await server.wait_for(Moment.GREETING)
        telling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await telling


async def test_a_notifier_without_administrators_is_an_error() -> None:
    """It could tell nobody."""
    async with ScriptedSmtpServer() as server:
        with pytest.raises(InvalidSettings, match="admins"):
            SmtpAdminNotifier(config_for(server), Mailbox(SENDER), (), ManualClock())
