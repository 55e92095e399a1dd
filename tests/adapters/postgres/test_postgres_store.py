"""The Postgres store keeps every law of the Store port, with prepared statements and without (as behind pgbouncer)."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator

import pytest

from galaxy_mail.adapters.postgres import PostgresStore, PostgresTransaction
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import SchemaOutdated, StoreUnavailable
from galaxy_mail.domain.leases import ClaimRequest
from galaxy_mail.domain.ports import Store
from galaxy_mail.testing.contracts.operations import OperationsContract
from galaxy_mail.testing.contracts.orders import LEASE, NO_SUCH_USER, claim, claim_one, new_delivery, settle
from galaxy_mail.testing.contracts.outbox import OutboxContract
from galaxy_mail.testing.contracts.queue import QueueContract
from galaxy_mail.testing.contracts.signs import SignContract
from tests.adapters.postgres.harness import PostgresHarness

MODES = {"default": {}, "no statement cache": {"statement_cache_size": 0}}


class OnPostgres:
    """Takes the place of a contract's abstract harness; every law is tried in both modes of connection."""

    @pytest.fixture(params=MODES)
    async def harness(
        self, request: pytest.FixtureRequest, postgres_dsn: str, schema_name: str
    ) -> AsyncIterator[PostgresHarness]:
        """A store in a fresh schema."""
        harness = await PostgresHarness.open(postgres_dsn, schema_name, **MODES[request.param])
        yield harness
        await harness.aclose()


class TestPostgresOutbox(OnPostgres, OutboxContract):
    """The Postgres store as an Outbox."""


class TestPostgresQueue(OnPostgres, QueueContract):
    """The Postgres store as a Queue."""


class TestPostgresSigns(OnPostgres, SignContract):
    """The Postgres store as a Queue that sees who is there."""


class TestPostgresOperations(OnPostgres, OperationsContract):
    """The Postgres store as Operations."""


@pytest.fixture
async def harness(postgres_dsn: str, schema_name: str) -> AsyncIterator[PostgresHarness]:
    """A store in a fresh schema, for the laws that only a database can break."""
    harness = await PostgresHarness.open(postgres_dsn, schema_name)
    yield harness
    await harness.aclose()


async def test_it_is_a_store(harness: PostgresHarness) -> None:
    """The type checker holds it against the whole port."""
    store: Store[PostgresTransaction] = harness.store
    assert await store.stats() == dict.fromkeys(DeliveryStatus, 0)


async def test_what_somebody_has_locked_delays_nobody(harness: PostgresHarness) -> None:
    """A row under a lock is left out by a claim, and by who takes notices; it is not waited for."""
    store = harness.store
    for said in (NO_SUCH_USER, NO_SUCH_USER, None, None):
        await store.enqueue(new_delivery())
        if said:
            await settle(store, await claim_one(store), said)
    lock = f'select delivery_id from "{harness.schema}".mail_deliveries where status = $1 limit 1 for update'
    async with harness.pool.acquire() as connection, connection.transaction():
        locked = {await connection.fetchval(lock, status) for status in ("pending", "dead_lettered")}
        async with asyncio.timeout(20):
            claims = await claim(store)
            notices = await store.take_notices(10, LEASE)
    assert (len(claims), len(notices)) == (1, 1)
    assert locked.isdisjoint({claims[0].held.delivery_id, notices[0].delivery_id})


async def test_what_somebody_has_locked_keeps_its_lease(harness: PostgresHarness) -> None:
    """Who renews, settles or takes over a claim just now is there: nobody waits for it, and its lease is not ended."""
    store, bell = harness.store, harness.store.bell()
    sign = await bell.keep_sign()
    assert sign is not None
    for _ in range(2):
        await store.enqueue(new_delivery())
    first, second = await store.claim(ClaimRequest("doomed", 2, LEASE, 5, sign=sign))
    await bell.aclose()
    lock = f'select from "{harness.schema}".mail_deliveries where delivery_id = $1 for update'
    async with harness.pool.acquire() as connection, connection.transaction():
        await connection.execute(lock, first.held.delivery_id)
        async with asyncio.timeout(20):
            assert (await store.end_leases_of_the_gone(frozenset({sign}))).ended == 1
    assert (await claim_one(store)).held.delivery_id == second.held.delivery_id


async def test_a_schema_that_was_never_migrated_is_named_as_that(harness: PostgresHarness) -> None:
    """The error names the way out."""
    with pytest.raises(SchemaOutdated, match="galaxy-mail migrate"):
        await PostgresStore(harness.pool, "nowhere").enqueue(new_delivery())


async def test_an_error_tells_the_code_and_not_the_row(harness: PostgresHarness) -> None:
    """The server's own words may print a login code, so neither the error nor its cause repeats them."""
    order = new_delivery(secrets={"code": "493817"})
    await harness.store.enqueue(order)
    with pytest.raises(StoreUnavailable) as failed:
        await harness.store.enqueue(order)
    told = "".join(traceback.format_exception(failed.value))
    assert failed.value.sqlstate == "23505"
    assert str(order.delivery_id) not in told
    assert "493817" not in told
    assert "asyncpg.exceptions" not in told
