"""What lasts for a while and hurts everybody: mails wait, none is lost, and an outage burns no attempt."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from galaxy_mail.testing.smtp_rules import Moment
from tests.faults.database import PATIENCE, SCHEMA
from tests.faults.stages import at
from tests.faults.weather import DATABASE_WEATHER, RELAY_WEATHER, setting
from tests.faults.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

MILD = (  # no outage: mails may go by as if nothing were, on a new connection or through a gap
    "PIPELINING is missing",
    "the relay resets",
    "the relay is half-open",
    "the database is half-open",
    "the database resets",
    "the database creeps",
    "statements time out",
)
TRIED = f"select count(*) > 0 from {SCHEMA}.mail_attempts where delivery_id = any($1)"
BURNED = f"""
select count(*) from {SCHEMA}.mail_attempts where delivery_id = any($1) and burned and outcome <> 'success' and not ambiguous
"""


@pytest.mark.parametrize("weather", RELAY_WEATHER)
async def test_mails_wait_for_the_relay(world: World, weather: str, order_key: str) -> None:
    """P7, P12: whatever keeps all mails from the relay burns no attempt and ends no mail."""
    async with RELAY_WEATHER[weather](world):
        ids = await world.order(*(f"{order_key}-{number}" for number in range(3)))
        await (world.ended(ids) if weather in MILD else world.admin.until(TRIED, ids))
    await world.ended(ids)
    assert [await world.status(one) for one in ids] == ["sent"] * 3
    assert await world.admin.ask(BURNED, ids) == 0


@pytest.mark.parametrize("weather", DATABASE_WEATHER)
async def test_a_success_waits_for_the_database(world: World, weather: str, order_key: str) -> None:
    """P2, P3: what the relay has taken in is recorded when the database is back, and sent twice only with a reason."""
    told = world.crew.said("cannot")
    ordering = asyncio.create_task(world.order(order_key))
    async with AsyncExitStack() as afterwards:
        async with at(Moment.DOT)(world) as held:
            await ordering
            await afterwards.enter_async_context(DATABASE_WEATHER[weather](world))
        ended = asyncio.create_task(world.ended([held.delivery_id]))
        await asyncio.wait((told, ended), return_when=asyncio.FIRST_COMPLETED)
    await ended
    assert told.done() or weather in MILD
    assert await world.status(held.delivery_id) == "sent"


async def test_a_lock_that_nobody_gives_up(world: World, order_key: str) -> None:
    """A settlement that times out at somebody's lock is written when the lock is gone."""
    told = world.crew.said("cannot settle")
    async with AsyncExitStack() as afterwards:
        locker = await world.admin.session()
        afterwards.callback(locker.terminate)
        ordering = asyncio.create_task(world.order(order_key))  # which begins once the stage waits for it
        async with at(Moment.DOT)(world) as held:
            await ordering
            await locker.execute("begin")
            await locker.execute(
                f"select from {SCHEMA}.mail_deliveries where delivery_id = '{held.delivery_id}' for update"
            )
            await afterwards.enter_async_context(setting("lock_timeout", "10ms")(world))
        async with asyncio.timeout(PATIENCE):
            await told
        locker.terminate()
        await world.ended([held.delivery_id])
    assert await world.status(held.delivery_id) == "sent"
