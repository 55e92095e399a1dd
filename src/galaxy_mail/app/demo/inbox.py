"""A local inbox: a small SMTP server that takes mail in, answers some addresses as a busy or strict server would, and keeps
a ledger of both (RFC 5321, with PIPELINING, 8BITMIME and SMTPUTF8; no relaying, no TLS, loopback only).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Self

import attrs

HOST = "127.0.0.1"
LINE_LIMIT = 64 * 1024
BODY_LIMIT = 10_000_000

_PATH = re.compile(r"(MAIL FROM|RCPT TO):<([^<>]*)>.*", re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)
_USUAL = {
    "EHLO": f"250-inbox.example\n250-PIPELINING\n250-8BITMIME\n250-SMTPUTF8\n250-ENHANCEDSTATUSCODES\n250 SIZE {BODY_LIMIT}",
    "HELO": "250 inbox.example",
    "RSET": "250 2.0.0 ok",
    "NOOP": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
    "DATA": "503 5.5.1 nobody to send it to",
}


@attrs.frozen
class Arrival:
    """One message that was taken in, for all recipients that one transaction named and the inbox accepted."""

    recipients: tuple[str, ...]
    octets: bytes = attrs.field(repr=False)

    @property
    def message_id(self) -> str:
        """Its Message-ID, without angle brackets."""
        found = _MESSAGE_ID.search(self.octets.partition(b"\r\n\r\n")[0])
        return found[1].decode(errors="replace") if found else ""


@attrs.frozen
class Refusal:
    """One recipient that was not accepted, and the reply."""

    recipient: str
    reply: str


class Inbox:
    """The server and its ledger. It listens while entered.

    Args:
        once: replies by address, given the first time only: the second time it is accepted.
        always: replies by address, given every time.
        tell: called with each arrival and refusal.
    """

    def __init__(
        self,
        once: Mapping[str, str],
        always: Mapping[str, str],
        tell: Callable[[Arrival | Refusal], None] = lambda _: None,
    ) -> None:
        self._once = dict(once)
        self._always = always
        self._tell = tell
        self._server: asyncio.Server | None = None
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.arrivals: list[Arrival] = []
        self.refusals: list[Refusal] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None, "enter it first"
        return f"smtp://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0, limit=LINE_LIMIT)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        sessions = list(self._sessions)
        for writer in self._sessions.values():
            writer.transport.abort()
        await asyncio.gather(*sessions)

    def answer(self, recipient: str) -> str:
        """The reply to a RCPT."""
        reply = self._once.pop(recipient, None) or self._always.get(recipient)
        if reply is None:
            return "250 2.1.5 ok"
        self.refusals.append(Refusal(recipient, reply))
        self._tell(self.refusals[-1])
        return reply

    def take(self, recipients: tuple[str, ...], octets: bytes) -> str:
        """Take a message in; the reply to its dot."""
        self.arrivals.append(Arrival(recipients, octets))
        self._tell(self.arrivals[-1])
        return f"250 2.0.0 taken in as {len(self.arrivals)}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions[session] = writer
        try:
            with contextlib.suppress(OSError, EOFError, ValueError):  # a client that left, or sends no lines
                await _Session(self, reader, writer).converse()
        finally:
            del self._sessions[session]
            writer.close()


class _Session:
    """One connection."""

    def __init__(self, inbox: Inbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._inbox = inbox
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def converse(self) -> None:
        """Answer until QUIT or the end of the connection."""
        await self._say("220 inbox.example ESMTP")
        while True:
            line = (await self._reader.readuntil(b"\r\n")).decode()[:-2]
            if line.upper() == "DATA" and self._recipients:
                await self._take_body()
            else:
                await self._say(self._obey(line))
            if line.upper() == "QUIT":
                return

    async def _say(self, lines: str) -> None:
        self._writer.write(lines.replace("\n", "\r\n").encode() + b"\r\n")
        await self._writer.drain()

    def _obey(self, line: str) -> str:
        verb, _, _ = line.upper().partition(" ")
        if verb in ("EHLO", "HELO", "RSET"):
            self._reset()
        if found := _PATH.fullmatch(line):
            return self._name(found[1].upper(), found[2])
        return _USUAL.get(verb, "502 5.5.2 not known here")

    def _name(self, command: str, address: str) -> str:
        if command == "MAIL FROM":
            self._reset()
            self._sender = address
            return "250 2.1.0 ok"
        if self._sender is None:
            return "503 5.5.1 MAIL first"
        reply = self._inbox.answer(address)
        if reply.startswith("2"):
            self._recipients.append(address)
        return reply

    async def _take_body(self) -> None:
        await self._say("354 end with a dot")
        lines: list[bytes] = []
        size = 0
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            size += len(line)
            if size <= BODY_LIMIT:
                lines.append(line.removeprefix(b"."))
        if size > BODY_LIMIT:
            reply = "552 5.3.4 too large"
        else:
            reply = self._inbox.take(tuple(self._recipients), b"".join(lines))
        self._reset()
        await self._say(reply)

    def _reset(self) -> None:
        self._sender = None
        self._recipients = []
