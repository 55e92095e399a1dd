"""A lean SMTP client: `python -m bench.source PORT MAILS SESSIONS` sends mails of 6 KB as fast as it can, and reads the replies.

Pipelined as RFC 2920 allows: the next mail's envelope rides behind the body. It stands in for Postfix's smtp-source.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

ENVELOPE = b"MAIL FROM:<no-reply@bench.example>\r\nRCPT TO:<ada@example.com>\r\nDATA\r\n"
LINE = b"x" * 76 + b"\r\n"
REPLIES_A_MAIL = 4


async def session(port: int, numbers: range) -> None:
    """Send these mails over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(b"EHLO bench\r\n")
    while not (await reader.readline()).startswith(b"250 "):
        pass
    writer.write(ENVELOPE)
    for number in numbers:
        await _replies(reader, REPLIES_A_MAIL - 1)
        writer.write(b"Message-ID: <%d@bench.example>\r\n\r\n" % number + LINE * 76 + b".\r\n" + ENVELOPE)
        await _replies(reader, 1)
    writer.close()


async def _replies(reader: asyncio.StreamReader, number: int) -> None:
    for _ in range(number):
        if (await reader.readline())[:1] not in b"23":
            raise ConnectionError("the sink refused something")


async def main(port: int, mails: int, sessions: int) -> None:
    """Send ``mails`` mails in ``sessions`` connections."""
    await asyncio.gather(*(session(port, range(first, mails, sessions)) for first in range(sessions)))


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
