"""What sink and client can do alone: smtp-source with ten sessions where it is installed, else a lean client of ours."""

from __future__ import annotations

import sys

from bench.book import Book
from bench.children import run
from bench.ours import raise_if
from bench.rig import Rig
from bench.sinks import find

SESSIONS, OCTETS, LIMIT = 10, 6000, 120.0


async def measure(rig: Rig, book: Book) -> None:
    for _ in range(rig.sizes.repetitions):
        async with rig.sink() as sink:
            await run(_client(sink.port, rig.sizes.wire), LIMIT)
            arrivals = await sink.arrivals()
        raise_if(
            []
            if arrivals.count == rig.sizes.wire
            else [f"{arrivals.count} of {rig.sizes.wire} mails arrived"]
        )
        book.add("wire_limit", arrivals.rate)


def _client(port: int, mails: int) -> list[str]:
    source = find("smtp-source")
    if source is None:
        return [sys.executable, "-m", "bench.source", str(port), str(mails), str(SESSIONS)]
    kept = ["-d", "-s", str(SESSIONS), "-m", str(mails), "-l", str(OCTETS)]
    return [source, *kept, f"127.0.0.1:{port}"]
