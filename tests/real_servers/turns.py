"""A wire that counts how often the client speaks after the server has: the round trips, even where all else is TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from tests.real_servers.daemon import HOST


@attrs.define
class Wire:
    """Between a client and ``to``. ``turns`` counts each time that the client has begun to speak."""

    to: int
    turns: int = 0
    port: int = 0
    busy: set[asyncio.Task[None]] = attrs.field(factory=set)

    async def carry(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, until both sides have closed."""
        task = asyncio.current_task()
        assert task
        self.busy.add(task)
        server, forth = await asyncio.open_connection(HOST, self.to)
        speaks = [False]
        await asyncio.gather(self._copy(client, forth, speaks, True), self._copy(server, back, speaks, False))

    async def _copy(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, speaks: list[bool], is_client: bool
    ) -> None:
        try:
            while octets := await source.read(65_536):
                self.turns += is_client and not speaks[0]
                speaks[0] = is_client
                target.write(octets)
                await target.drain()
        except ConnectionError:
            pass
        finally:
            target.close()


@asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """A wire that leads to a server on loopback."""
    wire = Wire(port)
    async with await asyncio.start_server(wire.carry, HOST, 0) as listener:
        wire.port = listener.sockets[0].getsockname()[1]
        yield wire
        if wire.busy:
            await asyncio.wait(wire.busy)
