"""Blows to a worker or the database while it holds a mail. A blow strikes on entering; what it did is undone on leaving."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from galaxy_mail.adapters.embedded_postgres.server import Shutdown
from tests.faults.database import SCHEMA
from tests.faults.stages import Held
from tests.faults.world import World

Blow = Callable[[World, Held], AbstractAsyncContextManager[None]]

LEASE_ENDS = f"select pg_sleep_until(next_attempt_at) from {SCHEMA}.mail_deliveries where delivery_id = $1 and claim_token = $2"
TAKEN_OVER = f"select claim_token is distinct from $2 from {SCHEMA}.mail_deliveries where delivery_id = $1"
TERMINATE = "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'mailer'"
LISTENERS = " and pid in (select pid from pg_locks where locktype = 'advisory' and objsubid = 1)"  # they hold the signs of life


@asynccontextmanager
async def kill(world: World, held: Held) -> AsyncIterator[None]:
    """SIGKILL."""
    world.crew.signal(held.pid, signal.SIGKILL)
    world.tally["kills"] += 1
    yield


@asynccontextmanager
async def freeze(world: World, held: Held) -> AsyncIterator[None]:
    """SIGSTOP past the end of the lease; SIGCONT once somebody else has the mail, or it has ended."""
    world.crew.signal(held.pid, signal.SIGSTOP)
    world.tally["stops"] += 1
    try:
        await world.admin.ask(LEASE_ENDS, held.delivery_id, held.token)
        yield
        await world.admin.until(TAKEN_OVER, held.delivery_id, held.token)
    finally:
        world.crew.signal(held.pid, signal.SIGCONT)


@asynccontextmanager
async def stop(world: World, held: Held) -> AsyncIterator[None]:
    """SIGTERM."""
    world.crew.signal(held.pid, signal.SIGTERM)
    yield


@asynccontextmanager
async def terminate(world: World, held: Held) -> AsyncIterator[None]:
    """pg_terminate_backend for every session that is not ours."""
    world.tally["terminations"] += await world.admin.ask(TERMINATE)
    yield


@asynccontextmanager
async def deafen(world: World, held: Held) -> AsyncIterator[None]:
    """pg_terminate_backend for the listeners alone."""
    world.tally["terminations"] += await world.admin.ask(TERMINATE + LISTENERS)
    yield


def crash(how: Shutdown) -> Blow:
    """The database goes down like that, and comes back."""

    @asynccontextmanager
    async def blow(world: World, held: Held) -> AsyncIterator[None]:
        world.tally["database_crashes"] += 1
        await asyncio.to_thread(world.postgres.restart, how)
        yield

    return blow


@asynccontextmanager
async def lose_the_relay(world: World, held: Held) -> AsyncIterator[None]:
    """Every connection to the relay is reset."""
    world.to_relay.reset()
    yield


@asynccontextmanager
async def lose_the_database(world: World, held: Held) -> AsyncIterator[None]:
    """Every connection to the database is reset."""
    world.to_database.reset()
    yield


BLOWS: dict[str, Blow] = {
    "SIGKILL": kill,
    "SIGSTOP past the lease": freeze,
    "SIGTERM": stop,
    "terminated sessions": terminate,
    "a terminated listener": deafen,
    "pg_ctl stop -m immediate": crash(Shutdown.IMMEDIATE),
    "SIGKILL of the database": crash(Shutdown.KILL),
    "a reset by the relay": lose_the_relay,
    "a reset by the database": lose_the_database,
}
