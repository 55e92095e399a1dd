"""An SMTP sink as lean as Python allows, in a process of its own: `python -m bench.sink [--delay SECONDS]`.

It prints its port, takes every mail, and notes for each the moment when its final dot was read and its Message-ID. When its
standard input ends it prints them, one a line, and exits. With ``--delay`` each turn takes that long: whatever came in one
piece is answered so much later, as by a relay that is far away.

Answers pipelined commands (RFC 2920). The moments are CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
import time
from typing import cast

import uvloop

EHLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"
OK, GO_ON, BYE = b"250 2.0.0 ok\r\n", b"354 go on\r\n", b"221 2.0.0 bye\r\n"
END_OF_DATA = b"\r\n.\r\n"
MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]+)>", re.IGNORECASE | re.MULTILINE)
HEADER_OCTETS = 4096
QUICKACK = getattr(socket, "TCP_QUICKACK", socket.TCP_NODELAY)  # Linux has it

arrivals: list[tuple[float, bytes]] = []


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._unread = b""
        self._in_body = False
        self._transport: asyncio.WriteTransport
        self._socket: socket.socket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._socket = transport.get_extra_info("socket")
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._acknowledge()
        unread = self._unread + data if self._unread else data
        place, replies = 0, []
        while True:
            end = unread.find(END_OF_DATA if self._in_body else b"\r\n", place)
            if end < 0:
                break
            if self._in_body:
                self._note(unread, place)
                place, self._in_body = end + len(END_OF_DATA), False
                replies.append(OK)
            else:
                replies.append(self._reply(unread[place : place + 4].upper()))
                place = end + 2
        self._unread = unread[place:]
        if replies:
            self._answer(b"".join(replies))

    def _acknowledge(self) -> None:
        """At once, always: a client with Nagle's algorithm on would wait 40 ms for it within a body of several writes."""
        if self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    def _note(self, unread: bytes, place: int) -> None:
        found = MESSAGE_ID.search(unread, place, place + HEADER_OCTETS)
        arrivals.append((time.monotonic(), found[1] if found else b"?"))

    def _reply(self, verb: bytes) -> bytes:
        if verb == b"DATA":
            self._in_body = True
            return GO_ON
        return {b"EHLO": EHLO, b"QUIT": BYE}.get(verb, OK)

    def _answer(self, replies: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, replies)
        else:
            self._transport.write(replies)


async def serve(delay: float) -> None:
    """Listen until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(delay), "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
    sys.stdout.writelines(f"{moment:.6f} {name.decode()}\n" for moment, name in arrivals)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0)
    uvloop.run(serve(parser.parse_args().delay))
