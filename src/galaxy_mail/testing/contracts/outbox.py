"""The laws of the Outbox port."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import attrs
import pytest

from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import IdempotencyConflict, UnusableTransaction
from galaxy_mail.domain.mail import NewDelivery
from galaxy_mail.domain.ports import Store
from galaxy_mail.testing.contracts.harness import CONTENDERS, StoreContract, StoreHarness
from galaxy_mail.testing.contracts.orders import ACCEPTED, CC, TO, claim, claim_one, new_delivery, settle

HOUR = timedelta(hours=1)


class ChangedMind(Exception):
    """What a caller raises to roll its transaction back."""


@pytest.mark.asyncio
class OutboxContract(StoreContract):
    """What every Outbox does. Override ``harness``."""

    async def test_enqueue_shares_the_fate_of_the_callers_transaction(self, harness: StoreHarness) -> None:
        """Nobody sees the mail before the commit, everybody after it, and nobody ever after a rollback."""
        store, kept, dropped = harness.store, new_delivery(key="kept"), new_delivery(key="dropped")
        async with store.transaction() as transaction:
            assert await store.enqueue(kept, within=transaction) == kept.delivery_id
            assert await store.find(kept.delivery_id) is None
            assert await claim(store) == ()
        assert (await claim_one(store)).held.delivery_id == kept.delivery_id

        with pytest.raises(ChangedMind):
            await _produce(store, dropped, commits=False)
        assert await store.find(dropped.delivery_id) is None
        assert await claim(store) == ()
        again = new_delivery(key="dropped", context={"the key": "is free"})
        assert await store.enqueue(again) == again.delivery_id

    async def test_a_callers_own_error_leaves_its_transaction_as_it_was(self, harness: StoreHarness) -> None:
        """An error of the caller's own passes through the block unchanged, be it of a class that drivers raise too."""
        for error in (OSError("the caller's disk is full"), TimeoutError("the caller's patience is")):
            with pytest.raises(type(error)) as raised:
                async with harness.store.transaction():
                    raise error
            assert raised.value is error

    async def test_enqueue_alone_is_committed_on_return(self, harness: StoreHarness) -> None:
        """Without a transaction the mail is there, for whoever asks, when the call returns."""
        order = new_delivery()
        assert await harness.store.enqueue(order) == order.delivery_id
        record = await harness.store.find(order.delivery_id)
        assert record is not None
        assert record.summary.status is DeliveryStatus.PENDING
        assert (await claim_one(harness.store)).held.delivery_id == order.delivery_id

    async def test_a_delivery_is_not_due_before_send_at(self, harness: StoreHarness) -> None:
        """``send_at`` is when it is due, when its age begins, and what its Date says; ``ttl`` counts from the call."""
        store, tick, now = harness.store, harness.tick, await harness.now()
        await store.enqueue(new_delivery(send_at=now + HOUR, ttl=2 * HOUR))
        await harness.age(HOUR - tick)
        assert await claim(store) == ()
        await harness.age(tick)
        claimed = await claim_one(store)
        assert claimed.age < tick
        assert claimed.expires_in is not None
        assert HOUR - tick < claimed.expires_in <= HOUR

    async def test_a_delivery_is_dated_when_it_is_due_first(self, harness: StoreHarness) -> None:
        """The Date is the moment of the call, not of its transaction's beginning, nor a ``send_at`` that lies before it."""
        store = harness.store
        async with store.transaction() as transaction:
            called = await harness.now()
            await store.enqueue(new_delivery(), within=transaction)
            await store.enqueue(new_delivery(send_at=called - HOUR), within=transaction)
        claims = await claim(store)
        assert len(claims) == 2
        for claimed in claims:
            record = await store.find(claimed.held.delivery_id)
            assert record is not None
            for moment in (claimed.dated, record.summary.created_at):
                assert called <= moment < called + harness.tick

    async def test_the_same_key_and_content_is_one_delivery(self, harness: StoreHarness) -> None:
        """The second order of the same mail is the first delivery, inside a transaction or not."""
        store, first = harness.store, new_delivery(key="k", secrets={"code": "493817"})
        await store.enqueue(first)
        second, third = _again(first), _again(first)
        assert await store.enqueue(second) == first.delivery_id
        async with store.transaction() as transaction:
            assert await store.enqueue(third, within=transaction) == first.delivery_id
            twin = new_delivery(key="twin")
            assert await store.enqueue(twin, within=transaction) == twin.delivery_id
            assert await store.enqueue(_again(twin), within=transaction) == twin.delivery_id
        assert sum((await store.stats()).values()) == 2
        assert await store.find(second.delivery_id) is None

    async def test_a_wiped_secret_no_longer_distinguishes(self, harness: StoreHarness) -> None:
        """When the first delivery has ended, another code under its key is no conflict; other public content still is."""
        store, first = harness.store, new_delivery(key="k", secrets={"code": "493817"})
        await store.enqueue(first)
        await settle(store, await claim_one(store), ACCEPTED)
        assert await store.enqueue(new_delivery(key="k", secrets={"code": "000000"})) == first.delivery_id
        with pytest.raises(IdempotencyConflict):
            await store.enqueue(new_delivery(key="k", secrets={"code": "493817"}, context={"name": "Bob"}))

    async def test_the_same_key_with_other_content_conflicts(self, harness: StoreHarness) -> None:
        """Other content, public or secret, under a used key is refused; the caller's transaction can go on."""
        store, first = harness.store, new_delivery(key="k", secrets={"code": "493817"})
        await store.enqueue(first)
        others = [
            new_delivery(key="k", secrets={"code": "493817"}, context={"name": "Bob"}),
            new_delivery(key="k", secrets={"code": "000000"}),
            new_delivery(key="k"),
        ]
        async with store.transaction() as transaction:
            for other in others:
                with pytest.raises(IdempotencyConflict) as refused:
                    await store.enqueue(other, within=transaction)
                assert refused.value.first == first.delivery_id
            free = new_delivery(key="free")
            await store.enqueue(free, within=transaction)
        found = {claimed.held.delivery_id for claimed in await claim(store)}
        assert found == {first.delivery_id, free.delivery_id}

    async def test_enqueue_refuses_what_is_not_an_open_transaction(self, harness: StoreHarness) -> None:
        """A mail that could not share the fate of ``within`` is not written at all."""
        async with harness.unusable_transactions() as unusable:
            assert unusable
            refused = {why for why, within in unusable.items() if await _refuses(harness.store, within)}
            assert refused == set(unusable)
        assert sum((await harness.store.stats()).values()) == 0

    async def test_many_keep_their_places(self, harness: StoreHarness) -> None:
        """Each place has the id of its delivery, or of the first with its key; nothing is stored twice, and none is nothing."""
        store, known = harness.store, new_delivery(key="known")
        await store.enqueue(known)
        twin = new_delivery(key="twin", people=((TO, "ada@example.org"), (CC, "bob@example.org")))
        again = attrs.evolve(twin, delivery_id=new_delivery().delivery_id)
        orders = [
            new_delivery(),
            twin,
            attrs.evolve(known, delivery_id=new_delivery().delivery_id),
            again,
            new_delivery(),
        ]
        first, *_, last = (order.delivery_id for order in orders)
        expected = (first, twin.delivery_id, known.delivery_id, twin.delivery_id, last)
        assert await store.enqueue_many(orders) == expected
        assert await store.enqueue_many([]) == ()
        claimed = {each.held.delivery_id: each.mail for each in await claim(store)}
        assert claimed == {order.delivery_id: order.mail for order in (known, orders[0], twin, orders[4])}

    async def test_a_conflict_among_many_stores_none(self, harness: StoreHarness) -> None:
        """Alone, nothing is stored; in the caller's transaction all else in it stays, and it can go on."""
        store, other = harness.store, new_delivery(key="k", context={"other": "content"})
        await store.enqueue(new_delivery(key="k"))
        with pytest.raises(IdempotencyConflict):
            await store.enqueue_many([new_delivery(), other, new_delivery()])
        assert (await store.stats())[DeliveryStatus.PENDING] == 1
        async with store.transaction() as transaction:
            await store.enqueue(new_delivery(), within=transaction)
            with pytest.raises(IdempotencyConflict):
                await store.enqueue_many([new_delivery(), other], within=transaction)
            await store.enqueue_many([new_delivery(), new_delivery()], within=transaction)
        assert (await store.stats())[DeliveryStatus.PENDING] == 4

    async def test_racing_producers_with_one_key_make_one_delivery(self, harness: StoreHarness) -> None:
        """Whoever commits gets the one id; a second producer waits for the first one's transaction to end."""
        store = harness.store
        for turn in range(4):
            dropped, kept = new_delivery(key=f"dropped/{turn}"), new_delivery(key=f"kept/{turn}")
            assert await _second_while_open(store, dropped, commits=False) != dropped.delivery_id
            assert await _second_while_open(store, kept, commits=True) == kept.delivery_id

            orders = [new_delivery(key=f"race/{turn}") for _ in range(CONTENDERS)]
            racers = (_produce(store, order, commits=n % 3 > 0) for n, order in enumerate(orders))
            outcomes = await asyncio.gather(*racers, return_exceptions=True)
            (winner,) = {outcome for outcome in outcomes if not isinstance(outcome, ChangedMind)}
            assert isinstance(winner, UUID)
            assert await store.find(winner) is not None
        assert sum((await store.stats()).values()) == 3 * 4


def _again(order: NewDelivery) -> NewDelivery:
    """The same order by another call: only its id and its Message-ID are new."""
    new = new_delivery()
    mail = attrs.evolve(order.mail, message_id=new.mail.message_id)
    return attrs.evolve(order, delivery_id=new.delivery_id, mail=mail)


async def _produce(store: Store[Any], order: NewDelivery, *, commits: bool) -> UUID:
    """Order one mail in a transaction of its own, and commit it or change one's mind."""
    async with store.transaction() as transaction:
        delivery_id = await store.enqueue(order, within=transaction)
        if not commits:
            raise ChangedMind
        return delivery_id


async def _second_while_open(store: Store[Any], first: NewDelivery, *, commits: bool) -> UUID:
    """What a second order under the same key returns that was begun while the first one's transaction was open."""
    try:
        async with store.transaction() as transaction:
            await store.enqueue(first, within=transaction)
            second = asyncio.create_task(store.enqueue(_again(first)))
            await asyncio.wait({second}, timeout=0)
            assert not second.done()
            if not commits:
                raise ChangedMind
    except ChangedMind:
        pass
    return await second


async def _refuses(store: Store[Any], within: object) -> bool:
    try:
        await store.enqueue(new_delivery(), within=within)
    except UnusableTransaction:
        return True
    return False
