"""What sits between the transport and aiosmtplib during the handshake, and counts."""

from __future__ import annotations

import asyncio

from galaxy_mail.adapters.smtp.replies import GarbageReply, Reply, ReplyReader

CONTINUE = 334  # of AUTH: one more line is wanted (RFC 4954 section 4)


class Tap(asyncio.Protocol):
    """Hands everything to ``inner`` and hears each reply; more than were expected abort the connection.

    aiosmtplib drops or keeps what nobody asked for. Kept, it becomes the answer to the next command; dropped, nobody
    learns that a stranger has spoken. So we count ourselves.
    """

    def __init__(self, inner: asyncio.Protocol, transport: asyncio.Transport) -> None:
        self.heard: Reply | None = None  # the last reply
        self.garbled = False
        self._inner = inner
        self._reader = ReplyReader()
        self._expected = 0
        self._may_continue = False
        self.sit_on(transport)

    @property
    def in_step(self) -> bool:
        """Whether each command has been answered once, and nothing else was said."""
        return not self.garbled and self._expected == 0

    def sit_on(self, transport: asyncio.Transport) -> None:
        """Take the place between ``transport`` and the inner protocol."""
        self._transport = transport
        transport.set_protocol(self)

    def expect(self, *, continued: bool = False) -> None:
        """A command is about to be said. With ``continued`` its reply may come after one 334, which another line answers."""
        self._expected = 1
        self._may_continue = continued

    def data_received(self, data: bytes) -> None:
        """Count, then hand on."""
        self._reader.feed(data)
        try:
            while reply := self._reader.next_reply():
                self.heard = reply
                self._count(reply)
        except GarbageReply:
            self.garbled = True
        if self._expected < 0 or (self._expected == 0 and self._reader.partial):
            self.garbled = True
        if self.garbled:
            self._transport.abort()
        else:
            self._inner.data_received(data)

    def _count(self, reply: Reply) -> None:
        if self._may_continue and self._expected and reply.code == CONTINUE:
            self._may_continue = False
        else:
            self._expected -= 1

    def eof_received(self) -> bool | None:
        """Hand on."""
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on."""
        self._inner.connection_lost(exc)
