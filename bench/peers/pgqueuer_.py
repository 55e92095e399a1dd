"""pgqueuer: its queue manager in drain mode, batches of 100, ten SMTP connections.

Tuned: a batch size ten times its default (docs: "Performance tuning"), asyncpg's pool as driver, uvloop. Its record is its
log table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from bench.peers.mail import Relay, composed, context

CONNECTIONS, BATCH = 10, 100


async def fill(dsn: str, number: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        queries = Queries(AsyncpgPoolDriver(pool))
        await queries.install()
        every = range(int(number))
        payloads: list[bytes | None] = [json.dumps([place, context(place)]).encode() for place in every]
        await queries.enqueue(["send_mail"] * len(every), payloads, [0] * len(every))


async def drain(dsn: str, port: str) -> None:
    async with (
        asyncpg.create_pool(dsn, min_size=2, max_size=10) as pool,
        Relay(int(port), CONNECTIONS) as relay,
    ):
        worker = PgQueuer(AsyncpgPoolDriver(pool))

        async def send_mail(job: Job) -> None:
            await relay.send(composed(*json.loads(job.payload or b"")))

        worker.entrypoint("send_mail")(send_mail)
        await worker.run(batch_size=BATCH, mode=QueueExecutionMode.drain)


async def count(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    print(await connection.fetchval("select count(*) from pgqueuer_log where status = 'successful'"))
    await connection.close()


VERBS: dict[str, Callable[..., Coroutine[object, object, None]]] = {
    "fill": fill,
    "drain": drain,
    "count": count,
}

if __name__ == "__main__":
    uvloop.run(VERBS[sys.argv[1]](*sys.argv[2:]))
