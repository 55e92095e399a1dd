"""A relay takes a mail in and never says so: what then becomes of it is what its producer ordered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.orders import OnUncertain
from galaxy_mail.testing.smtp_rules import Moment, close, reply
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer

MakeSettings = Callable[..., MailSettings]
TAKES_IN_AND_CLOSES = close(Moment.DOT, nth=1, keeps=True)


@pytest.mark.parametrize(
    "on_uncertain, status, reason, copies",
    [
        ("retry", DeliveryStatus.SENT, None, 2),
        ("hold", DeliveryStatus.DEAD_LETTERED, DeadLetterReason.UNCERTAIN, 1),
    ],
)
async def test_what_may_have_arrived_is_held_or_sent_again_as_ordered(
    make_settings: MakeSettings,
    server: ScriptedSmtpServer,
    on_uncertain: OnUncertain,
    status: DeliveryStatus,
    reason: DeadLetterReason | None,
    copies: int,
) -> None:
    """One copy and a dead letter, or two copies; and what a person resends is sent once more under the same Message-ID."""
    server.rules.append(TAKES_IN_AND_CLOSES)
    async with open_mail(make_settings()) as mail:
        await mail.migrate()
        delivery_id = await mail.service.enqueue_template(
            "welcome", to="ada@example.org", context={"name": "Ada"}, on_uncertain=on_uncertain
        )
        await mail.worker().run_until_empty()
        record = await mail.service.show(delivery_id)
        assert (record.summary.status, record.summary.reason) == (status, reason)
        assert record.attempts[0].ambiguous
        assert len(server.copies) == copies
        if status is DeliveryStatus.DEAD_LETTERED:
            await mail.service.resend(delivery_id, by="grace")
            await mail.worker().run_until_empty()
            assert (await mail.service.show(delivery_id)).summary.status is DeliveryStatus.SENT
    assert len(server.copies) == 2
    assert len({copy.message_id for copy in server.copies}) == 1


async def test_what_certainly_came_to_nothing_is_tried_again(
    make_settings: MakeSettings, server: ScriptedSmtpServer
) -> None:
    """A deferral, a refusal of the connection and a close before the body leave no doubt, and need no person."""
    server.rules += [
        reply(Moment.GREETING, 421, "4.3.2 not now", nth=1),
        reply(Moment.RCPT, 450, "4.2.0 later", nth=1),
        reply(Moment.DOT, 451, "4.3.0 could not queue", nth=1),
        close(Moment.DATA, nth=1),
    ]
    async with open_mail(make_settings()) as mail:
        await mail.migrate()
        delivery_id = await mail.service.enqueue_template(
            "welcome", to="ada@example.org", context={"name": "Ada"}, on_uncertain="hold"
        )
        await mail.worker().run_until_empty()
        record = await mail.service.show(delivery_id)
    assert record.summary.status is DeliveryStatus.SENT
    assert len(record.attempts) > 3
    assert len(server.copies) == 1
