"""What one writes on an afternoon: a table, a loop that locks one row, sends it and marks it sent. asyncpg + aiosmtplib.

``drain DSN PORT LOOPS`` runs so many loops, each with a database and an SMTP connection of its own. Tuned: prepared
statements (asyncpg's default), kept SMTP connections, a partial index, uvloop.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine

import asyncpg
import uvloop

from bench.peers.mail import Relay, composed, context

SCHEMA = """
create table outbox (id bigint primary key, context json not null, status text not null default 'pending', sent_at timestamptz);
create index outbox_pending on outbox (id) where status = 'pending';
"""
NEXT = "select id, context from outbox where status = 'pending' order by id limit 1 for update skip locked"
SENT = "update outbox set status = 'sent', sent_at = now() where id = $1"


async def fill(dsn: str, number: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(SCHEMA)
    rows = [(place, json.dumps(context(place))) for place in range(int(number))]
    await connection.copy_records_to_table("outbox", records=rows, columns=["id", "context"])
    await connection.close()


async def drain(dsn: str, port: str, loops: str) -> None:
    async with Relay(int(port), int(loops)) as relay:
        await asyncio.gather(*(_loop(dsn, relay) for _ in range(int(loops))))


async def _loop(dsn: str, relay: Relay) -> None:
    connection = await asyncpg.connect(dsn)
    while True:
        async with connection.transaction():
            row = await connection.fetchrow(NEXT)
            if row is None:
                break
            await relay.send(composed(row["id"], json.loads(row["context"])))
            await connection.execute(SENT, row["id"])
    await connection.close()


async def count(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    print(await connection.fetchval("select count(*) from outbox where status = 'sent'"))
    await connection.close()


VERBS: dict[str, Callable[..., Coroutine[object, object, None]]] = {
    "fill": fill,
    "drain": drain,
    "count": count,
}

if __name__ == "__main__":
    uvloop.run(VERBS[sys.argv[1]](*sys.argv[2:]))
