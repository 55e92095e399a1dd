"""The memory store keeps every law of the Store port, and a few that are its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.adapters.memory import MemoryStore, MemoryTransaction
from galaxy_mail.domain.errors import InvalidInput, StoreUnavailable, UnusableTransaction
from galaxy_mail.domain.ports import Store
from galaxy_mail.testing.contracts.operations import OperationsContract
from galaxy_mail.testing.contracts.orders import claim, claim_one, new_delivery
from galaxy_mail.testing.contracts.outbox import OutboxContract
from galaxy_mail.testing.contracts.queue import QueueContract
from galaxy_mail.testing.contracts.signs import SignContract
from tests.adapters.memory.harness import MemoryHarness


@pytest.fixture
async def harness() -> AsyncIterator[MemoryHarness]:
    """A store on a clock that stands still."""
    harness = MemoryHarness()
    yield harness
    await harness.aclose()


class OnMemory:
    """Takes the place of a contract's abstract harness."""

    @pytest.fixture
    def harness(self, harness: MemoryHarness) -> MemoryHarness:
        """The module's."""
        return harness


class TestMemoryOutbox(OnMemory, OutboxContract):
    """The memory store as an Outbox."""


class TestMemoryQueue(OnMemory, QueueContract):
    """The memory store as a Queue."""


class TestMemorySigns(OnMemory, SignContract):
    """The memory store as a Queue that sees who is there."""


class TestMemoryOperations(OnMemory, OperationsContract):
    """The memory store as Operations."""


async def test_it_needs_nothing_to_be_made() -> None:
    """A host's unit test makes it without arguments, and it is a Store whose time passes by itself."""
    store: Store[MemoryTransaction] = MemoryStore()
    await store.enqueue(new_delivery())
    claimed = await claim_one(store)
    assert timedelta(0) <= claimed.age < timedelta(minutes=1)
    assert abs(claimed.dated - datetime.now(UTC)) < timedelta(minutes=1)


async def test_its_time_is_monotonic(harness: MemoryHarness) -> None:
    """A wall clock that is set back or forward ends no lease and prolongs none."""
    await harness.store.enqueue(new_delivery())
    await claim_one(harness.store, lease=timedelta(seconds=10))
    harness.clock.jump(timedelta(days=3650))
    assert await claim(harness.store) == ()
    harness.clock.jump(timedelta(days=-7300))
    await harness.age(timedelta(seconds=10))
    assert (await claim_one(harness.store)).number == 2


async def test_what_json_does_to_a_context_is_done(harness: MemoryHarness) -> None:
    """A tuple comes back as a list and a number as a key as text, as from a database; the caller's object is not shared."""
    context = {"pair": (1, 2), "by number": {1: "one"}, "list": [1]}
    await harness.store.enqueue(new_delivery(context=context))
    context["list"] = []
    mail = (await claim_one(harness.store)).mail
    assert attrs.asdict(mail)["context"] == {"pair": [1, 2], "by number": {"1": "one"}, "list": [1]}


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"bytes"])
async def test_what_is_no_json_is_refused(harness: MemoryHarness, value: object) -> None:
    """The error names the field, and nothing is written."""
    with pytest.raises(InvalidInput, match="context"):
        await harness.store.enqueue(new_delivery(context={"value": value}))
    with pytest.raises(InvalidInput, match="secrets"):
        await harness.store.enqueue(new_delivery(secrets={"value": value}))
    assert harness.store.rows == {}


async def test_an_id_is_stored_once(harness: MemoryHarness) -> None:
    """A second delivery under an id fails like a violated primary key, committed or not."""
    order = new_delivery()
    async with harness.store.transaction() as transaction:
        await harness.store.enqueue(order, within=transaction)
        with pytest.raises(StoreUnavailable, match="23505"):
            await harness.store.enqueue(order)
    with pytest.raises(StoreUnavailable, match="23505"):
        await harness.store.enqueue(order)


async def test_transactions_that_wait_for_each_other_are_a_deadlock(harness: MemoryHarness) -> None:
    """One of the two fails and the other one gets through, as with PostgreSQL."""
    store, both_have_one = harness.store, asyncio.Barrier(2)

    async def produce(*keys: str) -> None:
        async with store.transaction() as transaction:
            await store.enqueue(new_delivery(key=keys[0]), within=transaction)
            await both_have_one.wait()
            await store.enqueue(new_delivery(key=keys[1]), within=transaction)

    outcomes = await asyncio.gather(produce("a", "b"), produce("b", "a"), return_exceptions=True)
    (failed,) = filter(None, outcomes)
    assert isinstance(failed, StoreUnavailable)
    assert failed.sqlstate == "40P01"
    assert {row.idempotency_key for row in store.rows.values()} == {"a", "b"}


async def test_a_transaction_that_ends_while_a_producer_waits_in_it_takes_no_mail(
    harness: MemoryHarness,
) -> None:
    """Who waited for a key and finds its own transaction ended is told so, and nothing is written."""
    store = harness.store
    async with store.transaction() as rival:
        await store.enqueue(new_delivery(key="k"), within=rival)
        async with store.transaction() as mine:
            waiting = asyncio.create_task(store.enqueue(new_delivery(key="k"), within=mine))
            await asyncio.wait({waiting}, timeout=0)
    with pytest.raises(UnusableTransaction):
        await waiting
    assert len(store.rows) == 1


async def test_a_cancelled_transaction_is_rolled_back(harness: MemoryHarness) -> None:
    """Cancellation is an exception like others: nothing is stored, and whoever waited for the key goes on."""
    store, staged = harness.store, asyncio.Event()

    async def produce() -> None:
        async with store.transaction() as transaction:
            await store.enqueue(new_delivery(key="k"), within=transaction)
            staged.set()
            await asyncio.Event().wait()

    producer = asyncio.create_task(produce())
    await staged.wait()
    successor = new_delivery(key="k")
    waiting = asyncio.create_task(store.enqueue(successor))
    producer.cancel()
    assert await waiting == successor.delivery_id
    assert producer.cancelled()
    assert set(store.rows) == {successor.delivery_id}


async def test_no_secret_shows(harness: MemoryHarness) -> None:
    """Neither the store's repr nor a row's, a transaction's or a claim's tells context or secrets."""
    order = new_delivery(secrets={"code": "493817"}, context={"flower": "rosebud"})
    async with harness.store.transaction() as transaction:
        await harness.store.enqueue(order, within=transaction)
        shown = repr(transaction)
    shown += (
        repr(await claim_one(harness.store)) + repr(harness.store) + repr(harness.store.rows) + repr(order)
    )
    assert "493817" not in shown
    assert "rosebud" not in shown


async def test_equal_runs_are_equal() -> None:
    """Tokens are counted, so that a simulation with the same seed is the same to the letter."""
    order = new_delivery()
    runs = []
    for _ in range(2):
        store = MemoryStore(ManualClock())
        await store.enqueue(order)
        runs.append(await claim(store))
    assert runs[0] == runs[1]
