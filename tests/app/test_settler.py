"""Settlements that finish together are committed together, and one that the store refuses holds up no other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.settler import Settler
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import StoreUnavailable
from galaxy_mail.domain.settlement import Settlement
from galaxy_mail.testing.contracts import orders

NOT_NULL = "23502"


class MoodyStore(MemoryStore):
    """A store whose commits can be held, can fail for a while, and refuse one delivery for good."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.commits: list[int] = []
        self.failures = 0
        self.refused: UUID | None = None
        self.cursed: UUID | None = None
        self.committing = asyncio.Event()
        self.may_commit = asyncio.Event()
        self.may_commit.set()

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[UUID]:
        """See ``Queue.settle``."""
        self.commits.append(len(settlements))
        self.committing.set()
        await self.may_commit.wait()
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("settle", "57P01")
        if any(settlement.held.delivery_id == self.refused for settlement in settlements):
            raise StoreUnavailable("settle", NOT_NULL)
        if any(settlement.held.delivery_id == self.cursed for settlement in settlements):
            raise ZeroDivisionError
        return await super().settle(settlements)


@pytest.fixture
def clock() -> ManualClock:
    """The clock of store and settler."""
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MoodyStore:
    """The store under the settler."""
    return MoodyStore(clock)


@pytest.fixture
async def settler(store: MoodyStore, clock: ManualClock) -> AsyncIterator[Settler]:
    """A settler at work."""
    settler = Settler(queue=store, clock=clock, config=RuntimeConfig(), logger=logging.getLogger("test"))
    task = asyncio.create_task(settler.run())
    yield settler
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def settlements(store: MemoryStore, number: int) -> list[Settlement]:
    """Claim ``number`` new deliveries, all of which the server accepted."""
    for _ in range(number):
        await store.enqueue(orders.new_delivery())
    return [orders.settlement(claim, orders.ACCEPTED) for claim in await orders.claim(store, number)]


async def test_what_finishes_during_a_commit_is_in_the_next(store: MoodyStore, settler: Settler) -> None:
    """One commit takes the first; the nine that come while it runs share the second."""
    first, *others = await settlements(store, 10)
    store.may_commit.clear()
    waiting = [asyncio.create_task(settler.settle(first))]
    await store.committing.wait()
    waiting += [asyncio.create_task(settler.settle(settlement)) for settlement in others]
    await asyncio.sleep(0)
    store.may_commit.set()
    assert await asyncio.gather(*waiting) == [True] * 10
    assert store.commits == [1, 9]


async def test_a_lost_claim_is_told_to_its_owner_alone(store: MoodyStore, settler: Settler) -> None:
    """In one batch, who lost and who won are told apart."""
    won, lost = await settlements(store, 2)
    await store.release([lost.held])
    assert list(await asyncio.gather(settler.settle(won), settler.settle(lost))) == [True, False]


async def test_an_outage_is_waited_out(store: MoodyStore, settler: Settler, clock: ManualClock) -> None:
    """While the store fails the batch is kept and tried again, and in the end it is settled once, dated when it was made."""
    store.failures = 3
    (settlement,) = await settlements(store, 1)
    waiting = asyncio.create_task(settler.settle(settlement))
    for _ in range(3):
        await clock.wait_for_sleepers()
        clock.advance(RuntimeConfig().poll_interval)
    assert await waiting
    assert store.commits == [1, 1, 1, 1]
    (row,) = store.rows.values()
    assert row.status is DeliveryStatus.SENT
    assert row.log[0].started_at + row.log[0].duration == clock.now() - 3 * RuntimeConfig().poll_interval


async def test_a_settlement_the_store_refuses_holds_up_no_other(store: MoodyStore, settler: Settler) -> None:
    """The refused one is given up (its lease will run out); its batch-mates are written."""
    batch = await settlements(store, 3)
    store.refused = batch[1].held.delivery_id
    results = await asyncio.gather(*map(settler.settle, batch))
    assert results == [True, False, True]
    assert (await store.stats())[DeliveryStatus.SENT] == 2


async def test_a_bug_that_one_settlement_brings_out_stops_no_other(
    store: MoodyStore, settler: Settler
) -> None:
    """Whatever the store raises, its batch-mates are settled, and the settler goes on."""
    batch = await settlements(store, 3)
    store.cursed = batch[0].held.delivery_id
    assert await asyncio.gather(*map(settler.settle, batch)) == [False, True, True]
    (later,) = await settlements(store, 1)
    assert await settler.settle(later)
