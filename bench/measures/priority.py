"""How long a login code takes that is ordered while very many bulk mails are due, and whether bulk still moves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from bench import ours
from bench.book import Book, percentile
from bench.children import child
from bench.measures.latency import milliseconds
from bench.ours import raise_if
from bench.rig import Rig, settle_down
from bench.sinks import own_sink
from galaxy_mail.app.opening import OpenMail
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
                await _until(lambda: _is_any(mail, "status = 'sent'"))
                asked = await _order_codes(mail, rig.sizes.codes)
                bulk_is_left = await _is_any(mail, "lane = 2 and status = 'pending'")
                await _until(lambda: _is_none(mail, "lane = 0 and status <> 'sent'"))
                await worker.stop()
            arrivals = await sink.arrivals()
        assert arrivals.moments is not None
        raise_if(
            [
                *arrivals.grievances(len(arrivals.moments)),
                *([] if arrivals.count > len(asked) else ["no bulk mail moved"]),
                *([] if bulk_is_left else ["the bulk mails were gone before the last code: too few of them"]),
            ]
        )
        book.add("code_behind_bulk_p99_ms", percentile(milliseconds(asked, arrivals.moments), 0.99))


async def _order_codes(mail: OpenMail, number: int) -> dict[UUID, float]:
    asked = {}
    for place in range(number):
        began = time.monotonic()
        to, valid = f"ada{place}@example.com", timedelta(minutes=5)
        asked[await mail.service.enqueue_login_code(to, code="123456", ttl=valid)] = began
        await asyncio.sleep(PAUSE)
    return asked


async def _is_any(mail: OpenMail, condition: str) -> bool:
    return bool(
        await mail.pool.fetchval(f"select exists (select from galaxy_mail.mail_deliveries where {condition})")
    )


async def _is_none(mail: OpenMail, condition: str) -> bool:
    return not await _is_any(mail, condition)


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await true():
            await asyncio.sleep(0.02)
