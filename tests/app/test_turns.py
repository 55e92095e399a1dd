"""Whose turn it is: urgent before normal before bulk, few at once, and nobody waits for ever behind a flood."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import attrs
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.holding import Holding, Progress
from galaxy_mail.app.turns import Turns
from galaxy_mail.domain.leases import Held
from galaxy_mail.domain.mail import Lane
from tests.app.conftest import no_sign
from tests.domain.claims import claim as a_claim


def hold(number: int, lane: Lane) -> Holding:
    """A holding of whatever delivery in this lane."""
    held = Held(UUID(int=number), UUID(int=0))
    claim = attrs.evolve(a_claim(), held=held, lane=lane)
    clock = ManualClock()
    return Holding(claim, 0.0, timedelta(seconds=10), clock, no_sign(clock), None)


class Workshop:
    """Turns whose work ends when it is told to."""

    def __init__(self, at_once: int, share: int) -> None:
        self.begun: list[Holding] = []
        self.may_end = asyncio.Semaphore(0)
        config = attrs.evolve(RuntimeConfig(), deliveries_at_once=at_once, share_behind=share)
        self.turns = Turns(config, self.work, lambda: at_once)

    async def work(self, holding: Holding) -> None:
        """Note who came, and wait."""
        self.begun.append(holding)
        await self.may_end.acquire()
        self.turns.over(holding)

    async def until_begun(self, number: int) -> list[Lane]:
        """Let all end that began, until ``number`` have; their lanes in order."""
        while len(self.begun) < number:
            self.may_end.release()
            await asyncio.sleep(0)
        return [holding.claim.lane for holding in self.begun]


@given(lanes=st.lists(st.sampled_from(Lane), max_size=40), at_once=st.integers(1, 5))
def test_everybody_has_one_turn_and_never_too_many_at_once(lanes: list[Lane], at_once: int) -> None:
    """Whatever comes in whatever order is worked on once, and no more than allowed run together."""

    async def run() -> None:
        shop = Workshop(at_once, 10)
        everyone = [hold(number, lane) for number, lane in enumerate(lanes)]
        for holding in everyone:
            shop.turns.add(holding)
        for _ in range(len(lanes) + 2):
            await asyncio.sleep(0)
        assert len(shop.begun) == min(at_once, len(lanes))
        await shop.until_begun(len(lanes))
        assert sorted(map(id, shop.begun)) == sorted(map(id, everyone))

    asyncio.run(run())


async def test_a_login_code_overtakes_what_has_not_begun() -> None:
    """Behind a hand full of bulk it is next, and bulk keeps its own order."""
    shop = Workshop(1, 100)
    bulk = [hold(number, Lane.BULK) for number in range(4)]
    for holding in bulk:
        shop.turns.add(holding)
    await asyncio.sleep(0)
    shop.turns.add(code := hold(9, Lane.URGENT))
    await shop.until_begun(5)
    assert shop.begun == [bulk[0], code, *bulk[1:]]


async def test_a_flood_of_codes_leaves_a_turn_to_the_lane_behind_all_others() -> None:
    """Every fifth turn is bulk's while codes wait."""
    shop = Workshop(1, 5)
    for number in range(30):
        shop.turns.add(hold(number, Lane.URGENT))
        shop.turns.add(hold(100 + number, Lane.BULK))
    lanes = await shop.until_begun(60)
    assert [lane for lane in lanes[:20] if lane is Lane.BULK] == [Lane.BULK] * 4


async def test_what_was_withdrawn_has_no_turn() -> None:
    """Given back while it waited, it is passed over, and its place goes to the next."""
    shop = Workshop(1, 100)
    first, second, third = (hold(number, Lane.NORMAL) for number in range(3))
    for holding in (first, second, third):
        shop.turns.add(holding)
    assert second.withdraw()
    await shop.until_begun(2)
    assert shop.begun == [first, third]
    assert second.progress is Progress.WITHDRAWN


async def test_withdrawn_before_its_first_step_it_keeps_no_place() -> None:
    """Its task is cancelled before it has run at all, so nobody says that it is over: the next one begins all the same."""
    shop = Workshop(1, 100)
    first, second = hold(1, Lane.NORMAL), hold(2, Lane.NORMAL)
    shop.turns.add(first)
    shop.turns.add(second)
    asyncio.get_running_loop().call_soon(
        first.withdraw
    )  # between its task's making and that task's first step
    await shop.until_begun(1)
    assert first.task is not None
    assert shop.begun == [second]
