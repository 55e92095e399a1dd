"""How many mails a second everybody drains: ours with one and with two processes, and every peer; in turn, three times."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from bench import contestants, ours
from bench.book import Book
from bench.children import Usage, child, run
from bench.contestants import Contestant
from bench.ours import WrongRun, raise_if
from bench.rig import Rig, settle_down
from bench.sinks import Arrivals

LIMIT = 300.0


async def measure(rig: Rig, book: Book) -> None:
    everybody = [contestant for contestant in contestants.all_of(rig.sizes) if contestant.is_there(book)]
    idle = await _idle(rig)
    for repetition in range(rig.sizes.repetitions):
        for contestant in everybody:
            if contestant.failed or repetition >= contestant.repetitions(rig.sizes):
                continue
            failures = len(book.failures)
            with book.watched(contestant.key):
                arrivals, usage = await _drained(rig, contestant)
                book.add(contestant.key, arrivals.rate)
                if contestant.key == "drain_1":
                    book.add("cpu_us_per_mail", (usage.cpu - idle.cpu) / contestant.mails * 1e6)
                    book.add("rss_mb", usage.rss_mb)
            contestant.failed = len(book.failures) > failures


async def _idle(rig: Rig) -> Usage:
    """What a worker costs that finds nothing to do: its start and its end."""
    async with rig.database("idle") as dsn, rig.sink() as sink:
        await ours.migrate(dsn)
        return await run(ours.worker(dsn, sink.port, "--until-empty"), LIMIT)


async def _drained(rig: Rig, contestant: Contestant) -> tuple[Arrivals, Usage]:
    async with rig.database("drain") as dsn:
        await contestant.prepare(dsn)
        await settle_down(dsn)
        async with rig.sink() as sink, AsyncExitStack() as stack:
            commands = contestant.workers(dsn, sink.port)
            workers = [await stack.enter_async_context(child(command)) for command in commands]
            first, *_ = await asyncio.gather(*(worker.ended(LIMIT) for worker in workers))
            arrivals = await sink.arrivals()
        raise_if([*arrivals.grievances(contestant.mails), *await contestant.grievances(dsn)])
    if arrivals.count < 2:
        raise WrongRun("nothing arrived")
    return arrivals, first
