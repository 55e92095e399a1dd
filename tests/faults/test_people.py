"""What producers and operators do while workers work."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest

from galaxy_mail.domain.errors import ResendRefused
from galaxy_mail.testing.smtp_rules import Moment, Rule, lines, reply
from tests.faults.database import SCHEMA
from tests.faults.weather import RELAY_WEATHER
from tests.faults.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

CROWD = 300
DOUBTS = f"select count(*) from {SCHEMA}.mail_attempts where delivery_id = $1 and ambiguous"
RESENDS = f"select count(*) from {SCHEMA}.mail_resends where delivery_id = $1"
BURNED = f"""
select count(*) from {SCHEMA}.mail_attempts where delivery_id = any($1) and burned and outcome <> 'success' and not ambiguous
"""
TRIED = f"select count(*) > 0 from {SCHEMA}.mail_attempts where delivery_id = any($1)"


async def test_two_operators_resend_one_mail(world: World, order_key: str) -> None:
    """P6: one of them does it, the other is told; it is on record once, and the mail is sent once."""
    rule = reply(Moment.RCPT, 550, "5.1.1 no", recipient=f"{order_key}@example.org")
    world.relay.rules.append(rule)
    (dead,) = await world.order(order_key)
    await world.ended([dead])
    world.relay.rules.clear()
    service = world.mail.service
    told = await asyncio.gather(
        *(service.resend(dead, by=name) for name in ("ada", "bob")), return_exceptions=True
    )
    assert [type(one) for one in told if one is not None] == [ResendRefused]
    await world.ended([dead])
    assert await world.status(dead) == "sent"
    assert await world.admin.ask(RESENDS, dead) == 1
    copies = sum(f"{order_key}@example.org" in copy.recipients for copy in world.ledger.seen)
    assert 1 <= copies <= 1 + await world.admin.ask(DOUBTS, dead)


async def test_a_producer_holds_its_transaction(world: World, order_key: str) -> None:
    """P1: nobody waits for it, nothing of it is seen before it commits, and nothing after it rolls back."""
    service, rolling_back = world.mail.service, RuntimeError()
    for fate in ("committed", "rolled_back"):
        key = f"{order_key}-{fate}"
        with contextlib.suppress(RuntimeError):
            async with service.transaction() as tx:
                held = await service.enqueue_template(
                    "letter", to=f"{key}@example.org", context={"name": key}, idempotency_key=key, within=tx
                )
                await world.note(key, held, fate)
                others = await world.order(f"{key}-other")
                await world.ended(others)
                assert await service.search(recipient=f"{key}@example.org") == ()
                if fate == "rolled_back":
                    raise rolling_back
        if fate == "committed":
            await world.ended([held])


async def test_many_are_due_after_an_outage(world: World, order_key: str) -> None:
    """P7: nothing burned, and the relay meets no more connections than the settings allow."""
    refuse = RELAY_WEATHER["the relay refuses connections"]
    async with refuse(world):
        world.relay.peak = 0
        ids = await world.order(*(f"{order_key}-{number}" for number in range(CROWD)))
        await world.admin.until(TRIED, ids)
    await world.ended(ids)
    assert await world.admin.ask(BURNED, ids) == 0
    assert world.relay.peak <= world.pace.workers * world.pace.connections


async def test_a_code_that_expires_in_an_outage_is_never_sent(world: World, order_key: str) -> None:
    """P9: it is a dead letter, and no copy of it ever comes."""
    async with RELAY_WEATHER["the relay refuses connections"](world):
        code = await world.mail.service.enqueue_login_code(
            f"{order_key}@example.org", code="SECRET1", ttl=timedelta(seconds=0.5)
        )
        await world.ended([code])
    reason = f"select dead_letter_reason from {SCHEMA}.mail_deliveries where delivery_id = $1"
    assert await world.admin.ask(reason, code) == "expired"
    assert not any(f"{order_key}@example.org" in copy.recipients for copy in world.ledger.seen)


@pytest.mark.parametrize("moment", [Moment.RCPT, Moment.DATA, Moment.DOT])
@pytest.mark.parametrize("code", [450, 550])
async def test_a_relay_that_repeats_the_code(world: World, order_key: str, moment: Moment, code: int) -> None:
    """P13: what the server says is kept without the code. (That no worker writes it anywhere is asked after every test.)"""
    said = lines(code, "4.7.1 SECRET12345 looks odd" if code < 500 else "5.7.1 SECRET12345 looks odd")

    first = iter([True])
    world.relay.rules.append(Rule(moment, lambda _: [said], lambda _: next(first, False), code=code))
    ordered = await world.mail.service.enqueue_login_code(
        f"{order_key}@example.org", code="SECRET12345", ttl=timedelta(minutes=5)
    )
    await world.ended([ordered])
    assert await world.status(ordered) == ("sent" if code < 500 else "dead_lettered")
