"""The schema and its statements agree with the domain, on a real server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from enum import StrEnum

import asyncpg
import pytest

from galaxy_mail.adapters.postgres import check, migrate, migration_script
from galaxy_mail.adapters.postgres.migrations import migrations
from galaxy_mail.adapters.postgres.statements import Statements
from galaxy_mail.domain.addresses import RecipientKind
from galaxy_mail.domain.delivery import (
    TRANSITIONS,
    AttemptOutcome,
    DeadLetterReason,
    DeliveryEvent,
    DeliveryStatus,
    RecipientState,
)
from galaxy_mail.domain.errors import InvalidSettings, SchemaOutdated
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.verdict_table import ABANDONED_VERDICT

MIRRORS: dict[str, type[StrEnum]] = {
    "status_is_known": DeliveryStatus,
    "reason_is_known": DeadLetterReason,
    "kind_is_known": RecipientKind,
    "state_is_known": RecipientState,
    "outcome_is_known": AttemptOutcome,
}


@pytest.fixture
async def pool(postgres_dsn: str, schema_name: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    """A pool on a server whose schema of this test's name does not exist yet; it is dropped in the end."""
    async with asyncpg.create_pool(postgres_dsn, min_size=0, max_size=8) as pool:
        yield pool
        await pool.execute(f'drop schema if exists "{schema_name}" cascade')


async def constraint(pool: asyncpg.Pool[asyncpg.Record], schema: str, name: str) -> str:
    """A constraint's definition as the server has it."""
    query = "select pg_get_constraintdef(oid) from pg_constraint where conname = $1 and connamespace = $2::regnamespace"
    text: str = await pool.fetchval(query, name, schema)
    return text


@pytest.mark.parametrize("name", MIRRORS)
async def test_a_check_constraint_mirrors_its_enum(
    pool: asyncpg.Pool[asyncpg.Record], schema_name: str, name: str
) -> None:
    """The values that the server allows are exactly those of the enum."""
    await migrate(pool, schema_name)
    allowed = re.findall(r"'([a-z_]+)'::text", await constraint(pool, schema_name, name))
    assert sorted(allowed) == sorted(MIRRORS[name])


async def test_the_lanes_are_those_of_the_domain(
    pool: asyncpg.Pool[asyncpg.Record], schema_name: str
) -> None:
    """The server knows these lanes and no other, and the claim reads each of them."""
    await migrate(pool, schema_name)
    allowed = re.search(r"ARRAY\[([0-9, ]+)\]", await constraint(pool, schema_name, "lane_is_known"))
    assert allowed is not None
    assert {int(number) for number in allowed[1].split(",")} == set(Lane)
    assert {int(number) for number in re.findall(r"lane = (\d)", Statements(schema_name)["claim"])} == set(
        Lane
    )


async def test_every_statement_is_understood_by_the_server(
    pool: asyncpg.Pool[asyncpg.Record], schema_name: str
) -> None:
    """Each .sql file can be prepared: tables, columns, types and parameters exist."""
    await migrate(pool, schema_name)
    statements = Statements(schema_name)
    async with pool.acquire() as connection:
        for name in statements:
            assert (await connection.prepare(statements[name])).get_query(), name


def test_the_statuses_in_sql_are_rows_of_the_table() -> None:
    """Two statements assign a status themselves; each says what the transition table says."""
    claim, resend = Statements("x")["claim"], Statements("x")["resend"]
    living = (DeliveryStatus.PENDING, DeliveryStatus.RETRYING)
    assert {TRANSITIONS[status][DeliveryEvent.ABANDONED] for status in living} == {DeliveryStatus.RETRYING}
    assert "status = case when d.claim_token is not null then 'retrying' else d.status end" in claim
    assert {TRANSITIONS[status][DeliveryEvent.GIVEN_UP] for status in living} == {
        DeliveryStatus.DEAD_LETTERED
    }
    assert {TRANSITIONS[status][DeliveryEvent.COMPLETED] for status in living} == {DeliveryStatus.SENT}
    assert "set (status, dead_letter_reason) = (" in claim
    assert "select case when sent then 'sent' else 'dead_lettered' end" in claim
    assert TRANSITIONS[DeliveryStatus.DEAD_LETTERED] == {DeliveryEvent.RESENT: DeliveryStatus.PENDING}
    assert "set status = 'pending'" in resend
    assert "target.status = 'dead_lettered'" in resend


def test_the_abandoned_attempt_in_sql_is_the_verdict_of_the_table() -> None:
    """The claim statement writes the verdict that the domain has for a silent worker."""
    v = ABANDONED_VERDICT
    literal = f"'{v.outcome}', '{v.stage}', '{v.blame}', {v.burns_attempt}, {v.ambiguous}, '{v.fault}', '{v.detail}'"
    assert literal.lower() in re.sub(r"\s+", " ", Statements("x")["claim"])


async def test_the_script_makes_the_same_schema(pool: asyncpg.Pool[asyncpg.Record], schema_name: str) -> None:
    """What ``migrate --sql`` prints can be run by hand, and then nothing is left to do."""
    await pool.execute(migration_script(schema_name))
    await check(pool, schema_name)
    assert await migrate(pool, schema_name) == ()


async def test_a_schema_from_another_time_is_told(
    pool: asyncpg.Pool[asyncpg.Record], schema_name: str
) -> None:
    """Missing, unknown and changed steps are each named, and nothing is touched."""
    with pytest.raises(SchemaOutdated, match="galaxy-mail migrate"):
        await check(pool, schema_name)
    await migrate(pool, schema_name)
    ledger = f'"{schema_name}".schema_migrations'
    await pool.execute(f"update {ledger} set checksum = 'x' where version = 1")
    await pool.execute(f"insert into {ledger} (version, name, checksum) values (9999, 'future', 'y')")
    for call in (check, migrate):
        with pytest.raises(SchemaOutdated, match=r"step 1 was changed.*step 9999 is unknown"):
            await call(pool, schema_name)


async def test_many_may_migrate_at_once(pool: asyncpg.Pool[asyncpg.Record], schema_name: str) -> None:
    """Of eight that start together each step is applied by one."""
    applied = await asyncio.gather(*(migrate(pool, schema_name) for _ in range(8)))
    assert sorted(step.version for steps in applied for step in steps) == [
        step.version for step in migrations()
    ]


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", 'a"b', "a;drop table x", "a" * 64, "ä"])
def test_nothing_but_a_plain_name_gets_into_sql(name: str) -> None:
    """A schema name is the only text that is put into statements, and it is checked first."""
    with pytest.raises(InvalidSettings):
        Statements(name)
