"""One connection of the scripted server: reading, writing, TLS in the middle, and rude ends."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from typing import cast

MOST_UNREAD = 256 * 1024


class Wire(asyncio.Protocol):
    """Octets wait in it until they are read; a client that is not read from is not acknowledged for ever."""

    transport: asyncio.Transport

    def __init__(self, accept: Callable[[Wire], None]) -> None:
        self._accept = accept
        self._unread = bytearray()
        self._ended = False
        self._something = asyncio.Event()  # to read, or the end
        self._writable = asyncio.Event()
        self._writable.set()

    # --- for the server -------------------------------------------------------------------------------------------

    async def read(self) -> bytes:
        """What has come, once something has; empty at the end."""
        while not (self._unread or self._ended):
            self._something.clear()
            await self._something.wait()
        octets = bytes(self._unread)
        self._unread.clear()
        if not self._ended:
            self.transport.resume_reading()
        return octets

    async def write(self, octets: bytes) -> None:
        """Send, and wait while the client does not take it.

        Raises:
            ConnectionResetError: if it never will.
        """
        if not self._gone:
            self.transport.write(octets)
            await asyncio.sleep(0)  # noqa: TID251 - who speaks endlessly must let others hear that nobody listens
            await self._writable.wait()
        if self._gone:
            raise ConnectionResetError

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Become the server of a TLS connection.

        Raises:
            OSError: if the client does not like it.
        """
        secured = await asyncio.get_running_loop().start_tls(self.transport, self, context, server_side=True)
        if secured is None or self._ended:
            raise ConnectionResetError
        self.transport = secured

    def close(self) -> None:
        """End politely: what was written goes out first."""
        self.transport.close()

    def abort(self) -> None:
        """End now."""
        self.transport.abort()

    def reset(self) -> None:
        """End with an RST."""
        connection = cast(socket.socket, self.transport.get_extra_info("socket"))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    # --- what the transport tells -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self.transport = cast(asyncio.Transport, transport)
        self._accept(self)

    def data_received(self, data: bytes) -> None:
        """Keep it, and read no more while much is kept."""
        self._unread += data
        if len(self._unread) > MOST_UNREAD:
            self.transport.pause_reading()
        self._something.set()

    def eof_received(self) -> bool | None:
        """The client says no more."""
        self._end()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end()

    def pause_writing(self) -> None:
        """The client does not take what is sent."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._writable.set()

    @property
    def _gone(self) -> bool:
        """Whether it is over, or about to be: a TLS transport in between cannot even be written to."""
        return self._ended or self.transport.is_closing()

    def _end(self) -> None:
        self._ended = True
        self._something.set()
        self._writable.set()
