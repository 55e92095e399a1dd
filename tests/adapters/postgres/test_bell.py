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


LOCKS = """
select pid from pg_locks
 where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
   and ((classid::bigint << 32) | objid::bigint) = $1
"""


async def test_a_lost_sign_is_taken_again_at_once(postgres: PostgresHarness, bell: PostgresBell) -> None:
    """It is gone with the session, by whatever hand; the next session takes the same."""
    sign = await bell.keep_sign()
    (holder,) = await postgres.pool.fetch(LOCKS, sign)
    assert await postgres.pool.fetchval("select pg_terminate_backend($1)", holder["pid"])
    await asyncio.wait_for(bell.rung(), PATIENCE)
    assert bell.sign is None
    assert await bell.keep_sign() == sign == bell.sign
    (heir,) = await postgres.pool.fetch(LOCKS, sign)
    assert heir["pid"] != holder["pid"]


async def test_a_session_that_is_silent_is_replaced(
    postgres: PostgresHarness, bell: PostgresBell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that a router forgot: the server may hold the sign for hours, and another session shares it with the old one."""
    sign = await bell.keep_sign()
    first = await postgres.pool.fetchval(LOCKS, sign)
    monkeypatch.setattr("galaxy_mail.adapters.postgres.bell.ANSWER_SECONDS", 0.05)
    async with postgres.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute(f'lock table "{postgres.schema}".mail_signs')
            assert await bell.keep_sign() is None
        monkeypatch.undo()
        await connection.execute(
            "select pg_advisory_lock_shared($1)", sign
        )  # the old session, as the server has it
        assert await bell.keep_sign() == sign
        holders = {row["pid"] for row in await postgres.pool.fetch(LOCKS, sign)}
        assert len(holders - {first}) == 2


async def test_a_closed_bell_lets_its_sign_go(postgres: PostgresHarness, bell: PostgresBell) -> None:
    """Its connection goes back to the pool, and on living there would look like a worker that is there."""
    sign = await bell.keep_sign()
    assert await postgres.pool.fetch(LOCKS, sign)
    await bell.aclose()
    assert not await postgres.pool.fetch(LOCKS, sign)


async def test_trouble_with_the_sign_is_told_once(
    postgres: PostgresHarness, bell: PostgresBell, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage of hours is one line, and so is the next."""
    await postgres.pool.execute(f'alter table "{postgres.schema}".mail_signs rename to elsewhere')
    for _ in range(3):
        assert await bell.keep_sign() is None
    assert len(caplog.messages) == 1
    await postgres.pool.execute(f'alter table "{postgres.schema}".elsewhere rename to mail_signs')
    assert await bell.keep_sign() is not None
    assert len(caplog.messages) == 1


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
    assert await bell.keep_sign() is None, "a session of whose we know nothing is no sign of life"
    assert not await postgres.pool.fetchval(f'select count(*) from "{postgres.schema}".mail_signs')
    assert postgres.pool.get_idle_size() == postgres.pool.get_size()


async def test_a_sign_that_its_session_does_not_hold_is_none(
    postgres: PostgresHarness, bell: PostgresBell
) -> None:
    """A pooler that passes rings on may give each statement another session: whose sign comes and goes has none."""
    assert await bell.keep_sign() is not None
    listener = bell._listener
    assert listener is not None
    await listener.execute("select pg_advisory_unlock_all()")
    assert await bell.keep_sign() is None
    assert bell.sign is None
    assert await bell.keep_sign() is None, "it would be lost again"
