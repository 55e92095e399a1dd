"""How long the mails of a killed worker wait: SIGKILL for one of three, until the last of its claims has been sent."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from uuid import UUID

from bench import ours
from bench.book import Book
from bench.children import child
from bench.ours import raise_if
from bench.rig import Rig, settle_down
from bench.sinks import own_sink

WORKERS, MAILS, TURN, PATIENCE = 3, 3000, 0.02, 60.0
HELD = "select array_agg(delivery_id) from galaxy_mail.mail_deliveries where claimed_by like $1 and claim_token is not null"
LEFT = "select count(*) from galaxy_mail.mail_deliveries where delivery_id = any($1) and status <> 'sent'"


async def measure(rig: Rig, book: Book) -> None:
    for _ in range(rig.sizes.recoveries):
        async with rig.database("recovery") as dsn, own_sink(TURN) as sink, ours.opened(dsn) as mail:
            await mail.migrate()
            await ours.fill(dsn, MAILS)
            await settle_down(dsn)
            async with AsyncExitStack() as stack:
                command = ours.worker(dsn, sink.port, connections=2, batch_size=100)
                workers = [await stack.enter_async_context(child(command)) for _ in range(WORKERS)]
                victim = workers[0]
                held: list[UUID] = []
                async with asyncio.timeout(PATIENCE):
                    while not held:
                        await asyncio.sleep(0.05)
                        held = await mail.pool.fetchval(HELD, f"%:{victim.pid}") or []
                    await asyncio.sleep(0.5)
                    victim.send(signal.SIGKILL)
                    killed = time.monotonic()
                    held = await mail.pool.fetchval(HELD, f"%:{victim.pid}")
                    while await mail.pool.fetchval(LEFT, held):
                        await asyncio.sleep(0.02)
                took = time.monotonic() - killed
            raise_if([] if held else ["the killed worker held no claim"])
        book.add("recovery_s", took)
