"""A TCP proxy that forwards until it is told otherwise: it refuses, hangs, cuts, resets, falls silent, or creeps.

It may stand before the relay and before PostgreSQL. What it does to a connection, it does to both ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from asyncio import StreamReader, StreamWriter
from types import TracebackType
from typing import Self

import attrs

from galaxy_mail.adapters.clock.system import SystemClock

CHUNK = 64 * 1024
NARROW = (
    64 * 1024
)  # octets that the kernel may keep for a connection's reader: who does not read is noticed soon


@attrs.define(eq=False)
class Trap:
    """Springs when all ``patterns`` come from a client at once. Then it holds that connection still: all of it, or the answers only."""

    patterns: tuple[bytes, ...]
    answers_only: bool = False
    sprung: asyncio.Future[Link] = attrs.field(factory=lambda: asyncio.get_running_loop().create_future())


class Link:
    """One connection through the proxy; ``near`` is the client's end."""

    def __init__(self, near: StreamWriter, far: StreamWriter) -> None:
        self._writers = (near, far)
        self.pause = 0.0  # seconds between one octet and the next
        self.up = asyncio.Event()  # set while the client's octets are let through
        self.down = asyncio.Event()
        self.answered = asyncio.Event()  # set once an answer waits to be let through
        self.up.set()
        self.down.set()

    def freeze(self) -> None:
        """Let nothing through any more, not even an end; nobody is told."""
        self.up.clear()
        self.down.clear()

    def thaw(self) -> None:
        """Let everything through again."""
        self.up.set()
        self.down.set()

    def cut(self) -> None:
        """Close both ends (FIN); what was not forwarded is lost."""
        for writer in self._writers:
            writer.transport.abort()

    def reset(self) -> None:
        """Reset both ends (RST)."""
        for writer in self._writers:
            if (connection := writer.get_extra_info("socket")) is not None and connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class FaultProxy:
    """Listens on a loopback port of its own and forwards to ``port``, while entered."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.links: set[Link] = set()
        self.trap: Trap | None = None
        self.pause = 0.0  # of links to come
        self.hangs = False  # new connections are taken, and no octet of them is forwarded
        self._far_port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._clock = SystemClock()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_listening()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- faults -----------------------------------------------------------------------------------------------------

    def refuse(self) -> None:
        """Refuse new connections, and reset those there are."""
        self._stop_listening()
        self.reset()

    def freeze(self) -> None:
        """Half-open: the connections there are carry nothing any more, and neither end is told. New ones work."""
        for link in self.links:
            link.freeze()

    def hang(self) -> None:
        """Nothing goes through any connection, old or new."""
        self.hangs = True
        self.freeze()

    def slow(self, pause: float) -> None:
        """Let one octet through every ``pause`` seconds, on the connections there are."""
        for link in self.links:
            link.pause = pause

    def creep(self, pause: float) -> None:
        """The same on all connections, old or new."""
        self.pause = pause
        self.slow(pause)

    def cut(self) -> None:
        """Close the connections there are."""
        for link in set(self.links):
            link.cut()

    def reset(self) -> None:
        """Reset the connections there are."""
        for link in set(self.links):
            link.reset()

    async def heal(self) -> None:
        """Forward again; what was frozen is reset."""
        self.hangs, self.trap = False, None
        self.creep(0.0)
        for link in set(self.links):
            if not (link.up.is_set() and link.down.is_set()):
                link.reset()
        if self._server is None:
            await self._listen()

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._forward(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, near_reader: StreamReader, near: StreamWriter) -> None:
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._far_port)
        except OSError:
            near.transport.abort()
            return
        for writer, side in ((near, socket.SO_RCVBUF), (far, socket.SO_SNDBUF)):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, side, NARROW)
        link = Link(near, far)
        link.pause = self.pause
        if self.hangs:
            link.freeze()
        self.links.add(link)
        ways = (self._pump(link, near_reader, far, link.up), self._pump(link, far_reader, near, link.down))
        try:
            await asyncio.gather(*ways)
        finally:
            self.links.discard(link)
            link.cut()

    async def _pump(
        self, link: Link, reader: StreamReader, writer: StreamWriter, flows: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while octets := await reader.read(CHUNK):
                if flows is link.up:
                    self._look(link, octets)
                elif not flows.is_set():
                    link.answered.set()
                await flows.wait()
                await self._pass_on(link, octets, writer)
            await flows.wait()
        writer.close()

    async def _pass_on(self, link: Link, octets: bytes, writer: StreamWriter) -> None:
        while link.pause and octets and not writer.is_closing():
            writer.write(octets[:1])
            octets = octets[1:]
            await self._clock.sleep(link.pause)
        writer.write(octets)
        await writer.drain()

    def _look(self, link: Link, octets: bytes) -> None:
        if (trap := self.trap) and all(part in octets for part in trap.patterns) and not trap.sprung.done():
            link.down.clear()
            if not trap.answers_only:
                link.up.clear()
            trap.sprung.set_result(link)
