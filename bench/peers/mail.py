"""The mail as a Python peer makes it, and its way out: Jinja2, EmailMessage, aiosmtplib over kept connections."""

from __future__ import annotations

import asyncio
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from pathlib import Path

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, select_autoescape

FOLDER = Path(__file__).parent.parent / "templates" / "bench"
SENDER, RECIPIENT = "no-reply@bench.example", "ada@example.com"

_templates = Environment(loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(["html"]))
_subject, _text, _html = (_templates.get_template(name) for name in ("subject.txt", "body.txt", "body.html"))


def context(number: int) -> dict[str, object]:
    """What the templates of mail ``number`` want to know."""
    return {"name": "Ada", "code": f"{number:06}", "ttl": 5}


def composed(number: int, variables: dict[str, object]) -> bytes:
    """Rendered and composed the usual way."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Galaxy", "no-reply", "bench.example")
    message["To"] = Address("Ada Lovelace", "ada", "example.com")
    message["Subject"] = _subject.render(variables)
    message["Message-ID"] = f"<{number}@bench.example>"
    message["Date"] = localtime()
    message.set_content(_text.render(variables))
    message.add_alternative(_html.render(variables), subtype="html")
    return message.as_bytes()


class Relay:
    """``size`` connections, opened once and kept; who wants to send takes the one used last."""

    def __init__(self, port: int, size: int) -> None:
        self._idle: asyncio.LifoQueue[aiosmtplib.SMTP] = asyncio.LifoQueue()
        self._all = [aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) for _ in range(size)]

    async def __aenter__(self) -> Relay:
        for connection in self._all:
            await connection.connect()
            self._idle.put_nowait(connection)
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._all:
            await connection.quit()

    async def send(self, message: bytes) -> None:
        """Send it as soon as a connection is free."""
        connection = await self._idle.get()
        try:
            await connection.sendmail(SENDER, [RECIPIENT], message)
        finally:
            self._idle.put_nowait(connection)
