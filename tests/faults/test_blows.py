"""Whatever happens to a worker or its database at whatever stage of a mail: nothing is lost, and every copy is accounted for."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.faults.blows import BLOWS
from tests.faults.stages import STAGES
from tests.faults.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("blow", BLOWS)
@pytest.mark.parametrize("stage", STAGES)
async def test_a_blow_at_any_stage_loses_nothing(world: World, stage: str, blow: str, order_key: str) -> None:
    """P2, P3: the mail is sent in the end, and copies ≤ successes + ambiguous attempts."""
    ordering = asyncio.create_task(world.order(order_key))  # which begins once the stage waits for it
    async with AsyncExitStack() as afterwards, STAGES[stage](world) as held:
        await afterwards.enter_async_context(BLOWS[blow](world, held))
    assert await ordering == [held.delivery_id]
    await world.ended([held.delivery_id])
    assert await world.status(held.delivery_id) == "sent"
