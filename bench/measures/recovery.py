"""How long the mails of a killed worker wait: SIGKILL for one of three, until another has the first, and all are sent."""

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
MOVED = "select exists (select from galaxy_mail.mail_deliveries where delivery_id = any($1) and claimed_by not like $2)"
ALL_SENT = """
select not exists (select from galaxy_mail.mail_deliveries where delivery_id = any($1) and status <> 'sent')
"""


async def measure(rig: Rig, book: Book) -> None:
    for _ in range(rig.sizes.recoveries):
        moved, seen_gone = await _recovery(rig, loop="uvloop")
        _, by_lease = await _recovery(rig, loop="silent")
        book.add("recovery_s.moved", moved)
        book.add("recovery_s.session_seen_gone", seen_gone)
        book.add("recovery_s.by_lease", by_lease)


async def _recovery(rig: Rig, loop: str) -> tuple[float, float]:
    """Seconds from the kill until another worker has claimed the first of its mails, and until the last of them is sent."""
    async with rig.database("recovery") as dsn, own_sink(TURN) as sink, ours.opened(dsn) as mail:
        await mail.migrate()
        await ours.fill(dsn, MAILS)
        await settle_down(dsn)
        async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
            command = ours.worker(dsn, sink.port, loop=loop, connections=2, batch_size=100)
            workers = [await stack.enter_async_context(child(command)) for _ in range(WORKERS)]
            victim, held = workers[0], list[UUID]()
            whose = f"%:{victim.pid}"
            while not held:
                await asyncio.sleep(0.05)
                held = await mail.pool.fetchval(HELD, whose) or []
            await asyncio.sleep(1.0)  # it shows a sign of life by now, and has not sent what it holds
            victim.send(signal.SIGKILL)
            killed = time.monotonic()
            held = await mail.pool.fetchval(HELD, whose)
            raise_if([] if held else ["the killed worker held no claim"])
            while not await mail.pool.fetchval(MOVED, held, whose):
                await asyncio.sleep(0.02)
            moved = time.monotonic() - killed
            while not await mail.pool.fetchval(ALL_SENT, held):
                await asyncio.sleep(0.02)
            return moved, time.monotonic() - killed
