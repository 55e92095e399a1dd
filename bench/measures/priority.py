"""How long a login code takes that is ordered while very many bulk mails are due, and whether bulk still moves."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from bench import ours
from bench.book import Book, percentile
from bench.children import child
from bench.measures.latency import milliseconds
from bench.ours import raise_if
from bench.rig import Rig, settle_down
from bench.sinks import own_sink
from galaxy_mail.domain.mail import Lane

PAUSE = 0.025
PATIENCE = 30.0


async def measure(rig: Rig, book: Book) -> None:
    for _ in range(rig.sizes.repetitions):
        async with rig.database("priority") as dsn, own_sink() as sink, ours.opened(dsn) as mail:
            await mail.migrate()
            await ours.fill(dsn, rig.sizes.behind, lane=Lane.BULK)
            await settle_down(dsn)
            async with child(ours.worker(dsn, sink.port)) as worker:
                await _until(mail.service.stats, lambda stats: stats["sent"] > 0)
                asked = {}
                for place in range(rig.sizes.codes):
                    began = time.monotonic()
                    code_id = await mail.service.enqueue_login_code(
                        f"ada{place}@example.com", code="123456", ttl=timedelta(minutes=5)
                    )
                    asked[code_id] = began
                    await asyncio.sleep(PAUSE)
                bulk_left = (await mail.service.stats())["pending"]  # type: ignore[index]
                codes = "select count(*) from galaxy_mail.mail_deliveries where lane = 0 and status <> 'sent'"
                await _until(lambda: mail.pool.fetchval(codes), lambda left: left == 0)
                await worker.stop()
            arrivals = await sink.arrivals()
        assert arrivals.moments is not None
        moved = arrivals.count - rig.sizes.codes
        raise_if(
            arrivals.grievances(len(arrivals.moments))
            + ([] if moved else ["no bulk mail moved"])
            + ([] if bulk_left else ["the bulk mails were gone before the last code was ordered: too few of them"])
        )
        book.add("code_behind_bulk_p99_ms", percentile(milliseconds(asked, arrivals.moments), 0.99))


async def _until(ask, enough) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(PATIENCE):
        while not enough(await ask()):
            await asyncio.sleep(0.02)
