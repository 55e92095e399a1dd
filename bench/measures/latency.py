"""How long a mail takes that meets an idle worker: from the return of the producer's commit to its final dot at the sink."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from uuid import UUID

from bench import ours
from bench.book import Book, percentile
from bench.children import child
from bench.ours import raise_if
from bench.rig import Rig
from bench.sinks import own_sink
from galaxy_mail.app.opening import OpenMail
from galaxy_mail.domain.delivery import DeliveryStatus

IDLE = 0.03  # seconds between two mails: enough for the worker to have armed its bell again
CONTEXT = {"name": "Ada", "code": "123456", "ttl": 5}
PATIENCE = 30.0


async def measure(rig: Rig, book: Book) -> None:
    for _ in range(rig.sizes.repetitions):
        async with rig.database("latency") as dsn, own_sink() as sink, ours.opened(dsn) as mail:
            await mail.migrate()
            async with child(ours.worker(dsn, sink.port)):
                await enqueue_and_wait(mail)  # the worker is up, and both sides are warm
                committed = await _one_by_one(mail, rig.sizes.latency)
                await all_sent(mail, rig.sizes.latency + 1)
            arrivals = await sink.arrivals()
            raise_if(
                [
                    *arrivals.grievances(rig.sizes.latency + 1),
                    *await ours.grievances(dsn, rig.sizes.latency + 1),
                ]
            )
        waits = milliseconds(committed, arrivals.moments)
        book.add("latency_ms.p50", percentile(waits, 0.50))
        book.add("latency_ms.p99", percentile(waits, 0.99))


async def _one_by_one(mail: OpenMail, number: int) -> dict[UUID, float]:
    committed = {}
    for place in range(number):
        delivery_id = await mail.service.enqueue_template("bench", to="ada@example.com", context=CONTEXT)
        committed[delivery_id] = time.monotonic()
        await asyncio.sleep(IDLE + 0.001 * (place % 7))  # out of step with any timer
    return committed


async def enqueue_and_wait(mail: OpenMail) -> None:
    """Send one mail through the worker, however long it takes to start."""
    await mail.service.enqueue_template("bench", to="ada@example.com", context=CONTEXT)
    await all_sent(mail, 1)
    await asyncio.sleep(0.2)


async def all_sent(mail: OpenMail, number: int) -> None:
    """Return when so many deliveries are sent."""
    async with asyncio.timeout(PATIENCE):
        while (await mail.service.stats())[DeliveryStatus.SENT] < number:
            await asyncio.sleep(0.05)


def milliseconds(committed: Mapping[UUID, float], arrived: Mapping[str, list[float]] | None) -> list[float]:
    """From commit to arrival, for each delivery. A worker may be faster than the producer's loop: that counts as 0."""
    assert arrived is not None
    waits = [(arrived[f"{delivery_id}@bench.example"][0] - at) * 1e3 for delivery_id, at in committed.items()]
    return [max(0.0, wait) for wait in waits]
