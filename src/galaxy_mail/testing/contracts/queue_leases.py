"""The laws of the Queue port: extending a claim, and giving it back."""

from __future__ import annotations

from uuid import UUID

import pytest

from galaxy_mail.domain.leases import Claim, Held
from galaxy_mail.testing.contracts.harness import StoreContract, StoreHarness
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    BUSY,
    LEASE,
    RETRY,
    claim,
    claim_one,
    new_delivery,
    settle,
)

NOBODY = UUID(int=0)


async def taken_over(harness: StoreHarness) -> tuple[Claim, Claim]:
    """One delivery, claimed by a worker that fell silent, and claimed anew: the stale claim and the latest one."""
    await harness.store.enqueue(new_delivery())
    stale = await claim_one(harness.store, worker="zombie")
    await harness.age(LEASE)
    return stale, await claim_one(harness.store, worker="heir")


@pytest.mark.asyncio
class QueueLeases(StoreContract):
    """How claims are renewed and released."""

    async def test_a_renewed_lease_outlives_the_first(self, harness: StoreHarness) -> None:
        """From the renewal on the lease has its full length again, and ends at its new deadline."""
        await harness.store.enqueue(new_delivery())
        first = await claim_one(harness.store)
        await harness.age(LEASE - harness.tick)
        assert await harness.store.renew([first.held], LEASE) == frozenset()
        await harness.age(LEASE - harness.tick)
        assert await claim(harness.store) == ()
        await harness.age(harness.tick)
        assert (await claim_one(harness.store)).number == 2

    async def test_a_stale_claim_cannot_renew(self, harness: StoreHarness) -> None:
        """Renewing what another holds, what is settled or what never was is told as lost, and extends nothing."""
        store = harness.store
        stale, latest = await taken_over(harness)
        spent, invented = latest.held, Held(NOBODY, latest.held.token)
        assert await store.renew([stale.held, invented], 100 * LEASE) == {stale.held.delivery_id, NOBODY}
        await harness.age(LEASE)
        latest = await claim_one(store)
        assert latest.number == 3, "the second lease ended when it should"
        await settle(store, latest, ACCEPTED)
        assert await store.renew([spent], LEASE) == {spent.delivery_id}
        assert await store.renew([latest.held], LEASE) == {spent.delivery_id}
        assert await store.renew([], LEASE) == frozenset()

    async def test_a_released_delivery_is_due_again_at_once(self, harness: StoreHarness) -> None:
        """Nothing was counted but the claim, whose number stays a gap among the attempts; the claim is spent."""
        store = harness.store
        await store.enqueue(new_delivery())
        first = await claim_one(store)
        before = await store.find(first.held.delivery_id)
        assert await store.release([first.held]) == frozenset()
        after = await store.find(first.held.delivery_id)
        assert before is not None
        assert after is not None
        assert (after.summary.status, after.attempts) == (before.summary.status, ())
        assert not after.summary.leased

        second = await claim_one(store)
        assert (second.number, second.status) == (2, first.status)
        assert (second.attempts, second.deferrals, second.abandoned) == (0, 0, 0)
        assert await store.release([first.held]) == {first.held.delivery_id}
        await settle(store, second, ACCEPTED)
        record = await store.find(first.held.delivery_id)
        assert record is not None
        assert [attempt.number for attempt in record.attempts] == [2]

    async def test_what_is_given_back_keeps_its_place(self, harness: StoreHarness) -> None:
        """A worker that stops with its hands full does not send the oldest mails to the end of the queue."""
        store = harness.store
        await store.enqueue(new_delivery())
        await harness.age(harness.tick)
        await store.enqueue(new_delivery())
        await harness.age(harness.tick)
        (oldest,) = await claim(store, 1)
        await store.release([oldest.held])
        (again,) = await claim(store, 1)
        assert again.held.delivery_id == oldest.held.delivery_id

    async def test_a_stale_claim_cannot_release(self, harness: StoreHarness) -> None:
        """A zombie that gives back what it no longer holds takes it from nobody."""
        store = harness.store
        stale, latest = await taken_over(harness)
        invented = Held(NOBODY, latest.held.token)
        assert await store.release([stale.held, invented]) == {stale.held.delivery_id, NOBODY}
        assert await claim(store) == ()
        await settle(store, latest, ACCEPTED)
        assert await store.release([latest.held]) == {latest.held.delivery_id}
        assert await store.release([]) == frozenset()

    async def test_a_retry_that_is_given_back_overtakes_nobody(self, harness: StoreHarness) -> None:
        """It was ordered before the other, which has waited longer by now for its first attempt."""
        store = harness.store
        retried = await store.enqueue(new_delivery())
        await settle(store, await claim_one(store), BUSY)
        fresh = await store.enqueue(new_delivery())
        await harness.age(16 * RETRY)
        for _ in range(2):
            claims = await claim(store)
            assert [each.held.delivery_id for each in claims] == [fresh, retried]
            await store.release([each.held for each in claims])
