"""The bell on PostgreSQL: it rings as its port says, outlives its listener, and knows where it cannot ring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy

from galaxy_mail.adapters.postgres import Pool, PostgresStore
from galaxy_mail.adapters.postgres.bell import PostgresBell
from galaxy_mail.testing.contracts.bell import LASTING, PATIENCE, BellContract
from galaxy_mail.testing.contracts.orders import claim, new_delivery
from tests.adapters.postgres.harness import PostgresHarness


@pytest.fixture
async def postgres(postgres_dsn: str, schema_name: str) -> AsyncIterator[PostgresHarness]:
    """A fresh schema; its end asserts that every connection came back."""
    postgres = await PostgresHarness.open(postgres_dsn, schema_name)
    yield postgres
    await postgres.aclose()


@pytest.fixture
async def bell(postgres: PostgresHarness) -> AsyncIterator[PostgresBell]:
    """A bell on that schema."""
    bell = postgres.store.bell()
    yield bell
    await bell.aclose()


class TestPostgresBell(BellContract):
    """Every law of a Bell."""

    @pytest.fixture
    def store(self, postgres: PostgresHarness) -> PostgresStore:
        """The store on the fresh schema."""
        return postgres.store


async def test_an_unarmed_bell_costs_producers_nothing(postgres: PostgresHarness, bell: PostgresBell) -> None:
    """Until somebody is idle, and again once somebody has found mail, an enqueue does not notify."""
    armed = f'select armed_until > now() from "{postgres.schema}".mail_bell'
    assert not await postgres.pool.fetchval(armed)
    await bell.arm(LASTING)
    assert await postgres.pool.fetchval(armed)
    await claim(postgres.store)
    assert await postgres.pool.fetchval(armed), "who finds nothing leaves the bell armed"
    await postgres.store.enqueue(new_delivery())
    assert await claim(postgres.store)
    assert not await postgres.pool.fetchval(armed)


async def test_a_lost_listener_is_replaced(postgres: PostgresHarness, bell: PostgresBell) -> None:
    """Its end rings, so that the worker looks; the next arming listens anew."""
    await bell.arm(LASTING)
    query = "select pg_terminate_backend(pid) from pg_stat_activity where query like $1 and pid <> pg_backend_pid()"
    assert await postgres.pool.fetchval(query, f'%update "{postgres.schema}".mail_bell%')
    await asyncio.wait_for(bell.rung(), PATIENCE)
    await bell.arm(LASTING)
    assert bell.rings
    await postgres.store.enqueue(new_delivery())
    await asyncio.wait_for(bell.rung(), PATIENCE)


class LosingPool:
    """A pool whose database goes away while a connection is given back."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def release(self, connection: PoolConnectionProxy[asyncpg.Record]) -> None:
        """Give it back, and raise what the driver does."""
        await self._pool.release(connection)
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


async def test_a_database_that_goes_away_does_not_keep_it_from_closing(
    postgres: PostgresHarness, bell: PostgresBell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is told to stop just when its database crashes stops as if nothing were."""
    await bell.arm(LASTING)
    assert bell.rings
    monkeypatch.setattr(bell, "_pool", LosingPool(postgres.pool))
    await bell.aclose()
    assert not bell.rings


async def test_where_nothing_is_heard_it_says_so(
    postgres: PostgresHarness, bell: PostgresBell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pooler in transaction mode: the test ring does not come back, and it stops trying."""
    monkeypatch.setattr("galaxy_mail.adapters.postgres.bell.TEST_SECONDS", 0.05)
    monkeypatch.setattr(bell, "_heard", lambda *_: None)
    await bell.arm(LASTING)
    await bell.arm(LASTING)
    assert not bell.rings
    assert postgres.pool.get_idle_size() == postgres.pool.get_size()
