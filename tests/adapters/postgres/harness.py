"""The Postgres store in the hands of a test: its clock runs, so time passes by moving all that is stored into the past."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import asyncpg

from galaxy_mail.adapters.postgres import PostgresStore, migrate
from galaxy_mail.testing.contracts.harness import CONTENDERS

INSTANTS = {
    "mail_deliveries": (
        "next_attempt_at", "claimed_at", "created_at", "queued_at", "dated_at", "expires_at", "finished_at", "notify_after",
        "notified_at",
    ),
    "mail_attempts": ("started_at", "finished_at"),
    "mail_resends": ("resent_at",),
    "mail_payloads": ("secrets_wiped_at",),
    "mail_outages": ("opened_at", "closed_at", "probe_at", "notify_after"),
}  # fmt: skip


class PostgresHarness:
    """A StoreHarness on a schema of its own, which goes when it is closed."""

    tick = timedelta(minutes=2)

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], schema: str) -> None:
        self.pool = pool
        self.schema = schema
        self.store = PostgresStore(pool, schema)

    @classmethod
    async def open(cls, dsn: str, schema: str, **connect: Any) -> Self:
        """Migrate a fresh schema; ``connect`` goes to every connection of the pool."""
        pool = await asyncpg.create_pool(dsn, min_size=0, max_size=CONTENDERS + 4, **connect)
        await migrate(pool, schema)
        return cls(pool, schema)

    async def now(self) -> datetime:
        """The instant of the server's clock."""
        moment: datetime = await self.pool.fetchval("select clock_timestamp()")
        return moment

    async def age(self, by: timedelta) -> None:
        """Move every stored instant back."""
        async with self.pool.acquire() as connection, connection.transaction():
            for table, columns in INSTANTS.items():
                moved = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
                await connection.execute(f'update "{self.schema}".{table} set {moved}', by)

    @asynccontextmanager
    async def unusable_transactions(self) -> AsyncIterator[Mapping[str, Any]]:
        """Connections that are in no transaction, given back or closed, and what is no connection."""
        async with self.pool.acquire() as given_back, given_back.transaction():
            pass
        async with self.pool.acquire() as idle, self.pool.acquire() as ended, self.pool.acquire() as closed:
            async with ended.transaction():
                pass
            await closed.close()
            yield {
                "given back": given_back,
                "not in a transaction": idle,
                "its transaction has ended": ended,
                "closed": closed,
                "the pool": self.pool,
                "no connection": object(),
            }

    async def secrets_of(self, delivery_id: UUID) -> object | None:
        """Secrets and their digest."""
        query = (
            f'select secrets::text, secret_digest from "{self.schema}".mail_payloads where delivery_id = $1'
        )
        secrets, digest = await self.pool.fetchrow(query, delivery_id) or (None, None)
        return secrets or digest

    async def corrupt(self, delivery_id: UUID) -> None:
        """Make the context another JSON value than an object."""
        query = f"""update "{self.schema}".mail_payloads set context = '[]' where delivery_id = $1"""
        assert await self.pool.execute(query, delivery_id) == "UPDATE 1"

    async def leased_count(self) -> int:
        """Rows with a token."""
        query = f'select count(*) from "{self.schema}".mail_deliveries where claim_token is not null'
        count: int = await self.pool.fetchval(query)
        return count

    async def empty(self) -> None:
        """Forget every delivery."""
        await self.pool.execute(
            f'truncate "{self.schema}".mail_deliveries, "{self.schema}".mail_tally cascade'
        )

    async def aclose(self) -> None:
        """Assert that every connection came back in order, drop the schema and close the pool."""
        assert self.pool.get_size() == self.pool.get_idle_size(), "a connection was not given back"
        await self.pool.execute(f'drop schema "{self.schema}" cascade')
        await self.pool.close()
