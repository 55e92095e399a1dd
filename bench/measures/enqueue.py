"""What a producer pays: one by one, sixteen at a time with and without a bell, and in bulk. Rendering is not counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bench import ours
from bench.book import Book
from bench.children import child
from bench.ours import raise_if
from bench.rig import Rig, settle_down
from bench.sinks import own_sink
from galaxy_mail.adapters.entropy.system import SystemEntropy
from galaxy_mail.adapters.postgres import PostgresStore
from galaxy_mail.domain import orders
from galaxy_mail.domain.addresses import Mailbox
from galaxy_mail.domain.mail import NewDelivery
from galaxy_mail.domain.orders import Order

PRODUCERS, BULK, LIMIT = 16, 1000, 120.0
BARE = "create table bare (id uuid primary key, context json not null)"
INSERT = "insert into bare values ($1, $2)"
CONTEXT = {"name": "Ada", "code": "123456", "ttl": 5}

_entropy = SystemEntropy()
_sender = Mailbox.parse(ours.SENDER, "sender")


def deliveries(number: int) -> list[NewDelivery]:
    """So many orders for the bench's mail, ready for the store."""
    people = orders.recipients(to="Ada Lovelace <ada@example.com>")
    order = Order(template="bench", recipients=people, context=CONTEXT)
    return [order.delivery(_entropy.delivery_id(), _sender) for _ in range(number)]


async def measure(rig: Rig, book: Book) -> None:
    sizes = rig.sizes
    for _ in range(sizes.repetitions):
        with book.watched("enqueue_single"):
            async with _store(rig, 1) as (store, pool, _):
                await pool.execute(BARE)
                rows = [(one.delivery_id, json.dumps(CONTEXT)) for one in deliveries(sizes.enqueue)]
                book.add("insert_single", await _rate(rows, lambda row: pool.execute(INSERT, *row), 1))
                book.add("enqueue_single", await _rate(deliveries(sizes.enqueue), store.enqueue, 1))
        for key, kind in (("enqueue_single_16", "uvloop"), ("enqueue_single_16_no_wakeup", "silent")):
            with book.watched(key):
                book.add(key, await _beside_a_worker(rig, kind))
        with book.watched("enqueue_bulk"):
            async with _store(rig, 1) as (store, _, dsn):
                book.add("enqueue_bulk", await _bulk(store, sizes.bulk, book))
                await _expect(dsn, sizes.bulk)


async def _rate(items: list[Any], act: Callable[[Any], Awaitable[object]], producers: int) -> float:
    queue: Iterator[Any] = iter(items)

    async def producer() -> None:
        for item in queue:
            await act(item)

    began = time.perf_counter()
    await asyncio.gather(*(producer() for _ in range(producers)))
    return len(items) / (time.perf_counter() - began)


async def _beside_a_worker(rig: Rig, kind: str) -> float:
    number = rig.sizes.enqueue_16
    async with own_sink() as sink, _store(rig, PRODUCERS) as (store, pool, dsn):
        async with child(ours.worker(dsn, sink.port, loop=kind)):
            for one in deliveries(PRODUCERS):  # the worker is up, and the producers are warm
                await store.enqueue(one)
            await _until_sent(pool, PRODUCERS)
            rate = await _rate(deliveries(number), store.enqueue, PRODUCERS)
            await _until_sent(pool, number + PRODUCERS)
        arrivals = await sink.arrivals()
        raise_if(arrivals.grievances(number + PRODUCERS) + await ours.grievances(dsn, number + PRODUCERS))
    return rate


async def _until_sent(pool: ours.Pool, number: int) -> None:
    async with asyncio.timeout(LIMIT):
        while await pool.fetchval("select coalesce(sum(number), 0) from galaxy_mail.mail_tally") < number:
            await asyncio.sleep(0.1)


async def _bulk(store: PostgresStore, number: int, book: Book) -> float:
    """By the store's own bulk method if it has one, else in transactions of a thousand."""
    every = deliveries(number)
    groups = [every[place : place + BULK] for place in range(0, number, BULK)]
    if enqueue_many := getattr(store, "enqueue_many", None):
        return BULK * await _rate(groups, enqueue_many, 1)
    book.note("enqueue_bulk: there is no bulk method; a thousand enqueues in one transaction")

    async def in_one_transaction(group: list[NewDelivery]) -> None:
        async with store.transaction() as within:
            for one in group:
                await store.enqueue(one, within)

    return BULK * await _rate(groups, in_one_transaction, 1)


async def _expect(dsn: str, number: int) -> None:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetchval("select count(*) from galaxy_mail.mail_recipients where state = 'open'")
    await connection.close()
    raise_if([] if found == number else [f"{found} of {number} mails are in the table"])


@asynccontextmanager
async def _store(rig: Rig, connections: int) -> AsyncIterator[tuple[PostgresStore, ours.Pool, str]]:
    async with rig.database("enqueue") as dsn:
        await ours.migrate(dsn)
        await settle_down(dsn)
        async with asyncpg.create_pool(dsn, min_size=connections, max_size=connections) as pool:
            yield PostgresStore(pool), pool, dsn
