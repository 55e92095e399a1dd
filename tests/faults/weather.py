"""Weather: what lasts for a while and hurts everybody. It begins on entering, and is over on leaving."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs

from galaxy_mail.testing.smtp_server import Offered
from tests.faults.blows import TERMINATE
from tests.faults.database import MAILER
from tests.faults.proxy import FaultProxy
from tests.faults.world import OFFERED, World

Weather = Callable[[World], AbstractAsyncContextManager[None]]

NO_DESCRIPTOR, SOME_DESCRIPTORS = 3, 1024


def setting(name: str, value: str) -> Weather:
    """The database is set like this, for all sessions that there are and will be."""

    @asynccontextmanager
    async def weather(world: World) -> AsyncIterator[None]:
        await world.admin.rows(f"alter system set {name} = '{value}'")
        await world.admin.reload()
        try:
            yield
        finally:
            await world.admin.rows(f"alter system reset {name}")
            await world.admin.reload()

    return weather


@asynccontextmanager
async def too_many_connections(world: World) -> AsyncIterator[None]:
    """The database ends every session, and begins no new one."""
    await world.admin.rows(f"alter role {MAILER} connection limit 0")
    world.tally["terminations"] += await world.admin.ask(TERMINATE)
    try:
        yield
    finally:
        await world.admin.rows(f"alter role {MAILER} connection limit -1")


def wire(which: Callable[[World], FaultProxy], fault: Callable[[FaultProxy], None]) -> Weather:
    """Something is done to the connections at a proxy, and is mended."""

    @asynccontextmanager
    async def weather(world: World) -> AsyncIterator[None]:
        fault(which(world))
        try:
            yield
        finally:
            await which(world).heal()

    return weather


def creep(pause: float) -> Callable[[FaultProxy], None]:
    """Let one octet through every ``pause`` seconds."""
    return lambda proxy: proxy.creep(pause)


def offering(offered: Offered) -> Weather:
    """The relay offers this, on new connections; those that there are, it closes."""

    @asynccontextmanager
    async def weather(world: World) -> AsyncIterator[None]:
        world.relay.offered = offered
        world.relay.drop_all()
        try:
            yield
        finally:
            world.relay.offered = OFFERED
            world.relay.drop_all()

    return weather


@asynccontextmanager
async def no_descriptors(world: World) -> AsyncIterator[None]:
    """No worker can open a file or a socket; and the connections that they have are closed."""
    struck = world.crew.pids
    for pid in struck:
        world.crew.limit_descriptors(pid, NO_DESCRIPTOR)
    world.to_relay.cut()
    world.to_database.cut()
    try:
        yield
    finally:
        for pid in struck:
            world.crew.limit_descriptors(pid, SOME_DESCRIPTORS)


def relay(world: World) -> FaultProxy:
    """The proxy before it."""
    return world.to_relay


def database(world: World) -> FaultProxy:
    """The proxy before it."""
    return world.to_database


RELAY_WEATHER: dict[str, Weather] = {
    "the relay refuses connections": wire(relay, FaultProxy.refuse),
    "the relay accepts and says nothing": wire(relay, FaultProxy.hang),
    "the relay is half-open": wire(relay, FaultProxy.freeze),
    "the relay resets": wire(relay, FaultProxy.reset),
    "the relay creeps, an octet a second": wire(relay, creep(1.0)),
    "STARTTLS is missing": offering(attrs.evolve(OFFERED, starttls=False)),
    "AUTH is missing": offering(attrs.evolve(OFFERED, auth=())),
    "PIPELINING is missing": offering(attrs.evolve(OFFERED, pipelining=False)),
}
DATABASE_WEATHER: dict[str, Weather] = {
    "statements time out": setting("statement_timeout", "1ms"),
    "the database is read-only": setting("default_transaction_read_only", "on"),
    "too many connections": too_many_connections,
    "the database refuses connections": wire(database, FaultProxy.refuse),
    "the database accepts and says nothing": wire(database, FaultProxy.hang),
    "the database is half-open": wire(database, FaultProxy.freeze),
    "the database resets": wire(database, FaultProxy.reset),
    "the database creeps": wire(database, creep(0.001)),
    "no file descriptors": no_descriptors,
}
