"""Migrating takes the time it takes: a big table, or another process that migrates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from galaxy_mail.adapters.postgres import migrate
from galaxy_mail.adapters.postgres.migrations import migrations

WAITING = "select exists (select from pg_locks where locktype = 'advisory' and not granted)"


@pytest.fixture
async def hasty(postgres_dsn: str, schema_name: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    """A pool whose statements have a fifth of a second each."""
    async with asyncpg.create_pool(postgres_dsn, min_size=0, command_timeout=0.2) as pool:
        yield pool
        await pool.execute(f'drop schema if exists "{schema_name}" cascade', timeout=30)


async def test_a_migration_outlasts_the_pools_patience(
    postgres_dsn: str, hasty: asyncpg.Pool[asyncpg.Record], schema_name: str
) -> None:
    """It waits for its turn longer than any statement of the pool may take, and is then applied."""
    lock = f"select pg_advisory_xact_lock(hashtext('galaxy_mail.migrate.{schema_name}'))"
    holder = await asyncpg.connect(postgres_dsn)
    try:
        async with holder.transaction():
            await holder.execute(lock)
            migrating = asyncio.create_task(migrate(hasty, schema_name))
            while not (await holder.fetchval(WAITING) or migrating.done()):
                pass
            with pytest.raises(TimeoutError):  # began to wait later, and has run out of time
                await hasty.execute(lock)
            assert not migrating.done()
        assert await migrating == migrations()
    finally:
        await holder.close()
