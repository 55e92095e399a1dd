"""What the busiest statements read: as much as they need, however large the tables are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from galaxy_mail.adapters.postgres.statements import Statements
from tests.adapters.postgres.harness import PostgresHarness

ROWS = 20_000
FILL = """
insert into "{0}".mail_deliveries (delivery_id, lane, template, message_id, created_at, queued_at, dated_at, next_attempt_at,
                                   status, finished_at)
select gen_random_uuid(), n % 3, 't', n::text, now(), now(), now(), now() - n * interval '1 second',
       case when n % 2 = 0 then 'sent' else 'pending' end, case when n % 2 = 0 then now() end
  from generate_series(1, {1}) as n;
insert into "{0}".mail_payloads (delivery_id, sender_address, sender_name, context, content_digest)
select delivery_id, 'a@example.org', '', '{{}}', '' from "{0}".mail_deliveries;
insert into "{0}".mail_recipients (delivery_id, position, kind, address, name, state)
select delivery_id, 0, 'to', 'b@example.org', '', 'open' from "{0}".mail_deliveries;
analyze "{0}".mail_deliveries, "{0}".mail_payloads, "{0}".mail_recipients;
"""
BUSY = ("claim", "settle", "renew", "release", "urgent_due", "end_leases_of_the_gone", "take_notices")
LARGE = {"mail_deliveries", "mail_payloads", "mail_recipients", "mail_attempts"}


@pytest.fixture
async def filled(postgres_dsn: str, schema_name: str) -> AsyncIterator[PostgresHarness]:
    """A store with a backlog and a history."""
    harness = await PostgresHarness.open(postgres_dsn, schema_name)
    await harness.pool.execute(FILL.format(schema_name, ROWS))
    yield harness
    await harness.pool.execute(f'drop schema "{schema_name}" cascade')
    await harness.pool.close()


def scanned_whole(plan: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan reads from one end to the other."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scanned_whole(part)


@pytest.mark.parametrize("name", BUSY)
async def test_no_table_is_read_whole(filled: PostgresHarness, name: str) -> None:
    """Neither a backlog nor a history makes a claim or a settlement slower; by the plan that fits any arguments."""
    statement = Statements(filled.schema)[name]
    async with filled.pool.acquire() as connection:
        nulls = ", ".join("null" for _ in (await connection.prepare(statement)).get_parameters())
        await connection.execute(f"set plan_cache_mode = force_generic_plan; prepare busy as {statement}")
        arguments = f"({nulls})" if nulls else ""
        plan = await connection.fetchval(f"explain (format json) execute busy{arguments}")
    (explained,) = json.loads(plan)
    assert LARGE.isdisjoint(scanned_whole(explained["Plan"]))
