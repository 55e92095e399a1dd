"""The diagnostics of PostgreSQL keep the laws of their port, and see what only a database has."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from galaxy_mail.adapters.postgres import PostgresDiagnostics
from galaxy_mail.domain.errors import SchemaOutdated, StoreUnavailable
from galaxy_mail.testing.contracts.diagnostics import DiagnosticsContract
from galaxy_mail.testing.contracts.orders import new_delivery
from tests.adapters.postgres.harness import PostgresHarness


class Harness(PostgresHarness):
    """The harness of the store, and its diagnostics."""

    @property
    def diagnostics(self) -> PostgresDiagnostics:
        """Those of the same schema."""
        return PostgresDiagnostics(self.pool, self.schema)


@pytest.fixture
async def harness(postgres_dsn: str, schema_name: str) -> AsyncIterator[Harness]:
    """A store in a fresh schema, with the diagnostics of its database."""
    harness = await Harness.open(postgres_dsn, schema_name)
    yield harness
    await harness.aclose()


class TestPostgresDiagnostics(DiagnosticsContract):
    """On a real server."""

    @pytest.fixture
    def harness(self, harness: Harness) -> Harness:
        """The module's."""
        return harness


async def test_a_schema_that_is_missing_is_told(harness: Harness) -> None:
    """By the error that names the way out."""
    with pytest.raises(SchemaOutdated, match="galaxy-mail migrate"):
        await PostgresDiagnostics(harness.pool, "nowhere").check_schema()


async def test_the_tables_are_those_of_the_schema(harness: Harness) -> None:
    """All of them and no other schema's, with what the server has counted."""
    await harness.store.enqueue(new_delivery())
    await harness.pool.execute(f"vacuum analyze {harness.schema}.mail_payloads")
    tables = {each.table: each for each in await harness.diagnostics.tables()}
    query = "select tablename from pg_tables where schemaname = $1"
    assert tables.keys() == {row["tablename"] for row in await harness.pool.fetch(query, harness.schema)}
    assert tables["mail_payloads"].live in (
        1,
        2,
    )  # what the vacuum found, and the insert if it is reported only now
    assert tables["mail_payloads"].dead == 0


async def test_who_idles_in_a_transaction_is_found(harness: Harness, postgres_dsn: str) -> None:
    """By the name that it gave itself and by its process."""
    other = await asyncpg.connect(postgres_dsn, server_settings={"application_name": "a forgotten psql"})
    try:
        async with other.transaction():
            await other.execute("select 1")
            oldest = (await harness.diagnostics.transactions()).oldest
            assert oldest is not None
            assert (oldest.held_by, oldest.pid) == ("a forgotten psql", other.get_server_pid())
    finally:
        await other.close()


async def test_what_our_role_may_not_see_is_counted(harness: Harness, postgres_dsn: str) -> None:
    """A plain role sees no transaction of others, and is told how many sessions it cannot judge."""
    role = f"r_{uuid.uuid4().hex[:12]}"
    await harness.pool.execute(f"create role {role} login")
    other = await asyncpg.connect(postgres_dsn)
    try:
        async with other.transaction(), harness.pool.acquire() as connection, connection.transaction():
            await connection.execute(f"set local role {role}")
            plain = PostgresDiagnostics(One(connection), harness.schema)  # type: ignore[arg-type]
            seen = await plain.transactions()
        assert seen.hidden >= 1
        assert seen.oldest is None
    finally:
        await other.close()
        await harness.pool.execute(f"drop role {role}")


class One:
    """A pool of one connection, whose role stays as it is."""

    def __init__(self, connection: object) -> None:
        self.fetch = connection.fetch  # type: ignore[attr-defined]


async def test_what_the_driver_raises_is_ours() -> None:
    """A database that is away is told as that."""
    async with asyncpg.create_pool("postgresql://nobody@127.0.0.1:1/nowhere", min_size=0) as pool:
        with pytest.raises(StoreUnavailable):
            await PostgresDiagnostics(pool).now()
        with pytest.raises(StoreUnavailable):
            await PostgresDiagnostics(pool).transactions()
