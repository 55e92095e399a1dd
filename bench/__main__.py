"""`python -m bench [--quick] [--only MEASURE …]`: measure everything, print the table, write the page, print the JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

import uvloop

from bench import machine, page, rig, table
from bench.book import Book
from bench.measures import drain, enqueue, growth, latency, priority, recovery, remote, wire
from bench.rig import Rig
from bench.sizes import FULL, QUICK

Measure = Callable[[Rig, Book], Awaitable[None]]

MEASURES: dict[str, tuple[Measure, float]] = {  # and the seconds after which each is given up
    "drain": (drain.measure, 1200),
    "wire": (wire.measure, 200),
    "latency": (latency.measure, 200),
    "enqueue": (enqueue.measure, 600),
    "priority": (priority.measure, 300),
    "remote": (remote.measure, 200),
    "recovery": (recovery.measure, 300),
    "growth": (growth.measure, 2400),
}


async def measured(ground: Rig, book: Book, chosen: list[str]) -> None:
    """Run the chosen measures one after the other; one that fails ends only itself."""
    for name in chosen:
        measure, limit = MEASURES[name]
        with book.watched(name):
            async with asyncio.timeout(limit):
                await measure(ground, book)


def main() -> int:
    """Run; 0 if every figure is there and nothing was wrong, else 1."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="the same keys in three minutes, on smaller tables"
    )
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=[], help="not all of them")
    parser.add_argument(
        "--page", action="store_true", help="write docs/explanation/performance.md, as a full run does"
    )
    arguments = parser.parse_args()
    book = Book()
    with rig.server() as dsn:
        ground = Rig(dsn, QUICK if arguments.quick else FULL)
        about = machine.described(uvloop.run(ground.version()))
        uvloop.run(measured(ground, book, arguments.only or list(MEASURES)))
    print("\n".join(table.lines(book, about, quick=arguments.quick)))
    if arguments.page or not (arguments.quick or arguments.only):
        page.write(book, about, ground.sizes.history, quick=arguments.quick)
    print(json.dumps(book.json()))
    return 0 if book.complete() else 1


if __name__ == "__main__":
    sys.exit(main())
