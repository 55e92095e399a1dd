"""The world that the examples of the docs live in: a database of their own, a relay, a folder, and a host's table.

The literals that the pages use for these are put in by the text, and nothing else of an example is touched.
"""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import attrs

from galaxy_mail.testing.smtp_server import ScriptedSmtpServer
from tests.docs.pages import ROOT, Block

DSN = "postgresql://app@localhost/app"
SMTP_URL = "smtps://user:password@smtp.example.org"
METRICS_PORT = "9102"  # here whichever is free
WELCOME = {
    "subject.txt": "Welcome, {{ name }}\n",
    "body.txt": "Hello {{ name }},\n\nglad to have you.\n",
    "body.html": "<p>Hello {{ name }},</p>\n<p>glad to have you.</p>\n",
}


@attrs.frozen
class World:
    """Where a page is run. ``relay_url`` has the ledger of what was sent."""

    dsn: str
    relay: ScriptedSmtpServer
    folder: Path
    names: dict[str, object] = attrs.field(factory=lambda: {"__name__": "page"})

    def localized(self, text: str) -> str:
        """An example with this world's addresses in the place of the reader's."""
        text = text.replace(DSN, self.dsn).replace(SMTP_URL, f"smtp://127.0.0.1:{self.relay.port}")
        return text.replace(METRICS_PORT, "0")

    async def run(self, block: Block) -> None:
        """Execute a block of Python in the page's namespace; it may await."""
        text = "\n" * (block.line - 1) + self.localized(block.text)  # a traceback shows the page's own lines
        code = compile(text, block.page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, self.names)
        if inspect.iscoroutine(running):
            await running

    def write(self, block: Block) -> None:
        """Make the file that a block is."""
        assert block.file
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.localized(block.text))

    async def query(self, block: Block) -> None:
        """Execute a block of SQL."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(block.text)
        finally:
            await connection.close()

    def pytest(self) -> subprocess.CompletedProcess[str]:
        """Run the tests that the page has written, as its reader would."""
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-q",
            "--rootdir",
            str(self.folder),
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(
                ROOT / ".hypothesis"
            ),  # its tables of Unicode take seconds to make
        }
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )


@asynccontextmanager
async def open_world(server_dsn: str, folder: Path) -> AsyncIterator[World]:
    """A fresh world; its database goes with it."""
    for name, text in WELCOME.items():
        path = folder / "templates" / "welcome" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    database = f"docs_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(server_dsn)
    await admin.execute(f"create database {database}")
    dsn = urlsplit(server_dsn)._replace(path=f"/{database}").geturl()
    try:
        host = await asyncpg.connect(dsn)
        await host.execute(
            "create table users (id bigint generated always as identity, name text, email text)"
        )
        await host.close()
        async with ScriptedSmtpServer() as relay:
            yield World(dsn, relay, folder)
    finally:
        await admin.execute(f"drop database {database} with (force)")
        await admin.close()
