"""What stats() costs beside millions of terminal rows."""

from __future__ import annotations

import time

from bench import ours
from bench.book import Book
from bench.ours import raise_if
from bench.rig import Rig, settle_down

CALLS = 50


async def measure_stats(rig: Rig, book: Book, dsn: str, terminal: int) -> None:
    """Fill up a database that has ``terminal`` rows already, and ask it. Only the deliveries count, so only they are added."""
    sizes = rig.sizes
    wanted = max(terminal, sizes.terminal)
    await ours.fill(dsn, wanted - terminal, sent=True, narrow=True)
    await ours.fill(dsn, sizes.live)
    await settle_down(dsn)
    async with ours.opened(dsn) as mail:
        counted = await mail.service.stats()
        expected = {"sent": wanted, "pending": sizes.live, "retrying": 0, "dead_lettered": 0}
        raise_if([] if dict(counted) == expected else [f"stats() says {dict(counted)}, not {expected}"])
        for _ in range(sizes.repetitions):
            began = time.perf_counter()
            for _ in range(CALLS):
                await mail.service.stats()
            book.add("stats_ms_10m", (time.perf_counter() - began) / CALLS * 1e3)
