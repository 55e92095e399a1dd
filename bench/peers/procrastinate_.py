"""procrastinate: its own worker with ten jobs at once (docs: "Launch a worker", "concurrency") and ten SMTP connections.

Tuned: concurrency, no LISTEN while there is enough to do, uvloop. Jobs stay in the table as `succeeded`, its record.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine

import procrastinate
import uvloop

from bench.peers.mail import Relay, composed, context

CONCURRENCY = 10

relay: Relay


def app(dsn: str) -> procrastinate.App:
    connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=CONCURRENCY, max_size=CONCURRENCY)
    made = procrastinate.App(connector=connector)
    made.task(name="send_mail")(send_mail)
    return made


async def send_mail(number: int, variables: dict[str, object]) -> None:
    await relay.send(composed(number, variables))


async def fill(dsn: str, number: str) -> None:
    async with app(dsn).open_async() as opened:
        await opened.schema_manager.apply_schema_async()
        jobs = [{"number": place, "variables": context(place)} for place in range(int(number))]
        await opened.configure_task("send_mail").batch_defer_async(*jobs)


async def drain(dsn: str, port: str) -> None:
    global relay
    async with app(dsn).open_async() as opened, Relay(int(port), CONCURRENCY) as relay:
        await opened.run_worker_async(
            concurrency=CONCURRENCY, wait=False, listen_notify=False, install_signal_handlers=False
        )


async def count(dsn: str) -> None:
    async with app(dsn).open_async() as opened:
        jobs = await opened.job_manager.list_jobs_async(status="succeeded")
        print(len(list(jobs)))


VERBS: dict[str, Callable[..., Coroutine[object, object, None]]] = {
    "fill": fill,
    "drain": drain,
    "count": count,
}

if __name__ == "__main__":
    uvloop.run(VERBS[sys.argv[1]](*sys.argv[2:]))
