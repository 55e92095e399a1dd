"""The laws of the Queue port: many workers at once."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest

from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.leases import Claim
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.ports import Queue
from galaxy_mail.testing.contracts.harness import CONTENDERS, StoreContract, StoreHarness
from galaxy_mail.testing.contracts.orders import ACCEPTED, LEASE, claim, new_delivery, settlement


@pytest.mark.asyncio
class QueueContention(StoreContract):
    """What holds when many claim, renew, release and settle at once."""

    async def test_two_claimants_never_share_a_delivery(self, harness: StoreHarness) -> None:
        """Many workers, half of them stopped in mid-flight: each delivery is settled once, and in the end none is left."""
        store, settled = harness.store, list[UUID]()
        orders = {await store.enqueue(new_delivery(lane=Lane(n % 3))) for n in range(60)}
        for _ in range(3):
            batches = await asyncio.gather(*(claim(store, 5) for _ in range(CONTENDERS)))
            shared = Counter(each.held.delivery_id for claims in batches for each in claims)
            assert set(shared.values()) == {1}
            held = [each.held for claims in batches for each in claims]
            assert await store.release(held) == frozenset()
        for _ in range(3):
            under_way = asyncio.Event()
            workers = [asyncio.create_task(_work(store, settled, under_way)) for _ in range(CONTENDERS)]
            await under_way.wait()
            for worker in workers[::2]:
                worker.cancel()
            outcomes = await asyncio.gather(*workers, return_exceptions=True)
            assert {type(each) for each in outcomes} <= {type(None), asyncio.CancelledError}
        while sum((await store.stats()).values()) > (await store.stats())[DeliveryStatus.SENT]:
            await harness.age(LEASE)
            settled += await _finish(store, await claim(store))
        assert len(settled) == len(set(settled))
        assert set(settled) <= orders
        assert (await store.stats())[DeliveryStatus.SENT] == len(orders)
        assert await harness.leased_count() == 0


async def _work(queue: Queue, settled: list[UUID], under_way: asyncio.Event) -> None:
    """Claim until nothing is due. What is claimed for the first time is given back, the rest is sent, all of it at once."""
    try:
        while claims := await claim(queue, 4):
            fresh = [each.held for each in claims if each.number == 1]
            rest = [each for each in claims if each.number > 1]
            assert await queue.renew([each.held for each in claims], LEASE) == frozenset()
            _, *finished = await asyncio.gather(
                queue.release(fresh), _finish(queue, rest[::2]), _finish(queue, rest[1::2])
            )
            settled += itertools.chain(*finished)
            if rest:
                under_way.set()
    finally:
        under_way.set()


async def _finish(queue: Queue, claims: Sequence[Claim]) -> list[UUID]:
    """Settle claims as sent, and return which of them were still held."""
    lost = await queue.settle([settlement(each, ACCEPTED) for each in claims])
    return [each.held.delivery_id for each in claims if each.held.delivery_id not in lost]
