"""Whatever the relay does, at whatever moment of the conversation: every mail ends, and every copy is accounted for."""

from __future__ import annotations

import asyncio

import pytest

from galaxy_mail.testing.smtp_rules import Moment, Situation
from tests.faults.database import PATIENCE, SCHEMA
from tests.faults.relay_faults import RELAY_FAULTS, RelayFault
from tests.faults.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

BURNED = f"select count(*) from {SCHEMA}.mail_attempts where delivery_id = any($1) and burned and outcome <> 'success'"
REFUSALS = ("554 at RCPT", "554 at DATA", "554 at DOT")  # for good, and of this mail


@pytest.mark.parametrize("fault", RELAY_FAULTS, ids=str)
async def test_a_relay_may_fail_at_any_moment(world: World, fault: RelayFault, order_key: str) -> None:
    """P2, P3, P7: it is sent when the relay is well again, unless it was refused for good; an outage burns nothing."""
    met = asyncio.Event()

    def once(_: Situation) -> bool:
        first = not met.is_set()
        met.set()
        return first

    fault.add(world, once)
    ids = await world.order(order_key)
    async with asyncio.timeout(PATIENCE):
        await met.wait()
    await world.ended(ids)
    assert await world.status(ids[0]) == ("dead_lettered" if str(fault) in REFUSALS else "sent")
    if fault.blames_nobody:
        assert await world.admin.ask(BURNED, ids) == 0


async def test_the_relay_fails_at_every_moment() -> None:
    """No moment of the conversation is left out, but for the end, where the mail is safe."""
    assert {fault.moment for fault in RELAY_FAULTS} == set(Moment) - {Moment.RSET, Moment.QUIT, Moment.GONE}
