"""Whether the drain slows down: beside millions of terminal rows, and while another transaction is held open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from bench import ours
from bench.book import Book
from bench.children import run
from bench.measures.counting import measure_stats
from bench.ours import raise_if
from bench.rig import Rig, settle_down

LIMIT = 600.0


async def measure(rig: Rig, book: Book) -> None:
    sizes = rig.sizes
    async with rig.database("history") as history:
        await ours.migrate(history)
        await ours.fill(history, sizes.history, sent=True)
        done = 0
        for _ in range(sizes.repetitions):
            with book.watched("growth.empty"):
                async with rig.database("empty") as dsn:
                    await ours.migrate(dsn)
                    book.add("growth.empty", await _drained(rig, dsn, sizes.due))
            with book.watched("growth.history_2m"):
                rate = await _drained(rig, history, sizes.due, sizes.history, done)
                done += sizes.due
                book.add("growth.history_2m", rate)
            with book.watched("growth.xmin_held"):
                async with rig.database("xmin") as dsn:
                    await ours.migrate(dsn)
                    book.add("growth.xmin_held", await _drained(rig, dsn, sizes.xmin, held=True))
        with book.watched("stats_ms_10m"):
            await measure_stats(rig, book, history, sizes.history + done)


async def _drained(
    rig: Rig, dsn: str, mails: int, history: int = 0, before: int = 0, *, held: bool = False
) -> float:
    """Fill up with ``mails`` due mails and drain them, with one worker; mails a second."""
    await ours.fill(dsn, mails)
    await settle_down(dsn)
    async with rig.sink() as sink, AsyncExitStack() as stack:
        if held:
            await stack.enter_async_context(_open_transaction(dsn))
        await run(ours.worker(dsn, sink.port, "--until-empty"), LIMIT)
        arrivals = await sink.arrivals()
    raise_if(arrivals.grievances(mails) + await ours.grievances(dsn, before + mails, history))
    return arrivals.rate


@asynccontextmanager
async def _open_transaction(dsn: str) -> AsyncIterator[None]:
    """Another session that has looked at something and does not end: no row that dies meanwhile can be cleaned up."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("begin isolation level repeatable read")
        await connection.execute("select count(*) from galaxy_mail.mail_bell")
        yield
    finally:
        await connection.close()
