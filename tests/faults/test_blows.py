"""Whatever happens to a worker or its database at whatever stage of a mail: nothing is lost, and every copy is accounted for."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack

import pytest

from galaxy_mail.testing.smtp_rules import Deed, Moment, Output, Rule, lines
from tests.faults.blows import BLOWS
from tests.faults.database import PATIENCE, SCHEMA
from tests.faults.proxy import Trap
from tests.faults.stages import STAGES, at
from tests.faults.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


# The slowest to recover from: only where it could cost a commit.
ONLY_COMMITS = "SIGKILL of the database"
COMBINED = [(stage, blow) for stage in STAGES for blow in BLOWS if blow != ONLY_COMMITS or "commit" in stage]
TOKEN = f"select claim_token from {SCHEMA}.mail_deliveries where delivery_id = $1"
SIGNED = f"select claimed_sign is not null from {SCHEMA}.mail_deliveries where delivery_id = $1"
PROLONG = f"""
update {SCHEMA}.mail_deliveries set next_attempt_at = now() + interval '1 hour' where delivery_id = $1 and claim_token = $2
returning true
"""


@pytest.mark.parametrize("stage, blow", COMBINED)
async def test_a_blow_at_any_stage_loses_nothing(world: World, stage: str, blow: str, order_key: str) -> None:
    """P2, P3: the mail is sent in the end, and copies ≤ successes + ambiguous attempts."""
    ordering = asyncio.create_task(world.order(order_key))  # which begins once the stage waits for it
    async with AsyncExitStack() as afterwards, STAGES[stage](world) as held:
        await afterwards.enter_async_context(BLOWS[blow](world, held))
    assert await ordering == [held.delivery_id]
    await world.ended([held.delivery_id])
    assert await world.status(held.delivery_id) == "sent"


async def test_a_dead_workers_mail_does_not_wait_for_its_lease(world: World, order_key: str) -> None:
    """P4: the lease has an hour to go, but the database sees that the worker's session is gone."""
    ordering = asyncio.create_task(world.order(order_key))
    async with at(Moment.DOT)(world) as held:
        await ordering
        await world.admin.until(SIGNED, held.delivery_id)
        world.crew.signal(held.pid, signal.SIGKILL)
        world.tally["kills"] += 1
        assert await world.admin.ask(PROLONG, held.delivery_id, held.token)
    await world.ended([held.delivery_id])
    assert await world.status(held.delivery_id) == "sent"


async def test_a_zombie_changes_nothing_that_another_holds(world: World, order_key: str) -> None:
    """P5: who wakes past its lease, and was refused, settles nothing while another waits at its own dot."""
    refusal: list[Output] = [Deed.HANG, lines(451, "4.3.0 not now")]
    ordering = asyncio.create_task(world.order(order_key))
    async with at(Moment.DOT, Rule(Moment.DOT, lambda _: refusal, code=451))(world) as zombie:
        await ordering
        world.crew.signal(zombie.pid, signal.SIGSTOP)
    async with at(Moment.DOT)(world) as other:
        settlement = (zombie.token.bytes, b"transient_error")
        world.to_database.trap = trap = Trap(settlement, answers_only=True)
        world.crew.signal(zombie.pid, signal.SIGCONT)
        async with asyncio.timeout(PATIENCE):
            link = await trap.sprung
            await link.answered.wait()
        assert await world.admin.ask(TOKEN, other.delivery_id) == other.token
        link.thaw()
    await world.ended([other.delivery_id])
    assert await world.status(other.delivery_id) == "sent"
    assert len([copy for copy in world.ledger.seen if other.recipient in copy.recipients]) == 1
