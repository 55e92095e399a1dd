"""Mails that are trouble themselves: poison, what cannot be read or rendered, what is too large, and who is refused."""

from __future__ import annotations

import attrs
import pytest

from galaxy_mail.testing.smtp_rules import Moment, greylist, hang, reply
from tests.faults.database import SCHEMA
from tests.faults.weather import offering
from tests.faults.world import OFFERED, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

REASON = f"select dead_letter_reason from {SCHEMA}.mail_deliveries where delivery_id = $1"
STATES = f"select array_agg(state order by position) from {SCHEMA}.mail_recipients where delivery_id = $1"
ATTEMPTS = f"select count(*) from {SCHEMA}.mail_attempts where delivery_id = $1"
ANSWERS = f"""
select array_agg(code order by attempt_no) from {SCHEMA}.mail_attempts where delivery_id = $1 and code is not null
"""
REFUSED = f"select count(*) > 0 from {SCHEMA}.mail_recipients where delivery_id = $1 and state = 'refused'"


async def test_a_mail_that_kills_its_workers_is_poison(world: World, order_key: str) -> None:
    """P8: it is a dead letter after as many workers as may die of it; mails beside it are sent, and blamed for nothing."""
    before = world.crew.deaths
    (poison,) = await world.order(f"{order_key}-poison", template="poison")
    others = await world.order(*(f"{order_key}-{number}" for number in range(5)))
    await world.ended([poison, *others])
    assert await world.admin.ask(REASON, poison) == "poison"
    assert world.crew.deaths - before == world.pace.abandoned_limit
    assert {await world.status(one) for one in others} == {"sent"}


async def test_a_mail_to_be_held_kills_one_worker_and_no_other(world: World, order_key: str) -> None:
    """P3: whatever its dead worker did with it, it is not claimed again: a person decides."""
    before = world.crew.deaths
    held = await world.mail.service.enqueue_template(
        "poison", to=f"{order_key}@example.org", context={"name": order_key}, on_uncertain="hold"
    )
    (other,) = await world.order(f"{order_key}-other")
    await world.ended([held, other])
    assert await world.admin.ask(REASON, held) == "uncertain"
    assert await world.admin.ask(ATTEMPTS, held) == 1
    assert world.crew.deaths - before == 1
    assert await world.status(other) == "sent"


@pytest.mark.parametrize("column", ["context = '[1]'", "secrets = '7'", "context = '{}'"])
async def test_a_mail_that_cannot_be_made_is_a_dead_letter(world: World, order_key: str, column: str) -> None:
    """P8: whose stored form is spoilt, or lacks what its template needs, ends with a reason, at once."""
    async with world.mail.service.transaction() as tx:
        spoilt = await world.mail.service.enqueue_template(
            "letter",
            to=f"{order_key}@example.org",
            context={"name": order_key},
            idempotency_key=order_key,
            within=tx,
        )
        await tx.execute(f"update {SCHEMA}.mail_payloads set {column} where delivery_id = $1", spoilt)
    (other,) = await world.order(f"{order_key}-other")
    await world.ended([spoilt, other])
    assert await world.admin.ask(REASON, spoilt) == "unrenderable"
    assert await world.status(other) == "sent"


async def test_a_template_that_broke_is_no_poison(world: World, order_key: str) -> None:
    """P8: what the producer could render and the worker cannot is a dead letter."""
    (broken,) = await world.order(order_key, template="broken")
    await world.ended([broken])
    assert await world.admin.ask(REASON, broken) == "unrenderable"


async def test_a_server_that_stops_reading_a_body(world: World, order_key: str) -> None:
    """P3: 6 MB that the server does not read are given up before their end can have left; and are sent later."""
    world.relay.rules.append(hang(Moment.BODY, recipient=f"{order_key}@example.org"))
    (heavy,) = await world.order(order_key, template="heavy")
    given_up = f"select count(*) > 0 from {SCHEMA}.mail_attempts where delivery_id = $1 and stage = 'body' and not ambiguous"
    await world.admin.until(given_up, heavy)
    await world.heal()
    await world.ended([heavy])
    assert await world.status(heavy) == "sent"


async def test_a_mail_larger_than_the_server_takes(world: World, order_key: str) -> None:
    """It is refused for good before anything of it is sent."""
    async with offering(attrs.evolve(OFFERED, size=100))(world):
        (large,) = await world.order(order_key)
        await world.ended([large])
    assert await world.admin.ask(REASON, large) == "refused"


async def test_a_greylist(world: World, order_key: str) -> None:
    """Whoever is asked to come again comes again, and is taken in."""
    world.relay.rules.append(greylist())
    ids = await world.order(*(f"{order_key}-{number}" for number in range(5)))
    await world.ended(ids)
    assert [await world.admin.ask(ANSWERS, one) for one in ids] == [[450, 250]] * 5


async def test_each_recipient_has_a_fate_of_its_own(world: World, order_key: str) -> None:
    """One is refused, one put off, one accepted: nobody gets a second copy, and later attempts address the rest."""
    refused, later, taken = (f"{order_key}-{name}@example.org" for name in ("refused", "later", "taken"))
    world.relay.rules += [
        reply(Moment.RCPT, 550, "5.1.1 no", recipient=refused),
        reply(Moment.RCPT, 450, "4.2.0 busy", recipient=later),
    ]
    delivery = await world.mail.service.enqueue_template(
        "letter", to=refused, cc=[later], bcc=[taken], context={"name": "all"}, idempotency_key=order_key
    )
    await world.admin.until(REFUSED, delivery)
    assert await world.admin.ask(STATES, delivery) == ["refused", "open", "accepted"]
    world.relay.rules.clear()
    await world.ended([delivery])
    assert await world.admin.ask(STATES, delivery) == ["refused", "accepted", "accepted"]
