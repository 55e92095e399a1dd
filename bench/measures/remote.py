"""One connection to a relay that is far away: each of its turns takes 20 ms."""

from __future__ import annotations

import sys

from bench import ours
from bench.book import Book
from bench.children import run
from bench.contestants import Peer
from bench.ours import raise_if
from bench.rig import Rig, settle_down
from bench.sinks import own_sink

TURN, LIMIT = 0.020, 120.0


async def measure(rig: Rig, book: Book) -> None:
    mails = rig.sizes.remote
    loop = Peer(
        "aiosmtplib", mails // 3, command=[sys.executable, "-m", "bench.peers.handwritten"], extra=["1"]
    )
    for _ in range(rig.sizes.repetitions):
        async with rig.database("remote") as dsn, own_sink(TURN) as sink:
            await ours.migrate(dsn)
            await ours.fill(dsn, mails)
            await settle_down(dsn)
            await run(ours.worker(dsn, sink.port, "--until-empty", connections=1), LIMIT)
            arrivals = await sink.arrivals()
            raise_if(arrivals.grievances(mails) + await ours.grievances(dsn, mails))
        book.add("remote_20ms.ours", arrivals.rate)
        async with rig.database("remote") as dsn, own_sink(TURN) as sink:
            await loop.prepare(dsn)
            await run(loop.workers(dsn, sink.port)[0], LIMIT)
            arrivals = await sink.arrivals()
            raise_if(arrivals.grievances(loop.mails) + await loop.grievances(dsn))
        book.add("remote_20ms.aiosmtplib", arrivals.rate)
