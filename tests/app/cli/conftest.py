"""The command line as a person has it: an environment of its own, a database, and what was printed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import attrs
import pytest

from galaxy_mail.app.cli import main

SENDER = "Galaxy <no-reply@example.org>"
COMMAND = (sys.executable, "-m", "galaxy_mail.app.cli")


@attrs.frozen
class Ran:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document that was printed."""
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing of ours in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GALAXY_MAIL_")}
    return kept | {"HOME": str(tmp_path / "home"), "COLUMNS": "200"}


@pytest.fixture
def outbox(postgres_dsn: str, schema_name: str, environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment with a database in it, whose schema is not there yet, and a relay that nobody listens at."""
    environ |= {
        "GALAXY_MAIL_DSN": postgres_dsn,
        "GALAXY_MAIL_SCHEMA": schema_name,
        "GALAXY_MAIL_SENDER": SENDER,
        "GALAXY_MAIL_SMTP_URL": "smtp://127.0.0.1:1",
    }
    yield environ
    query(environ, f"drop schema if exists {schema_name} cascade")


def query(environ: dict[str, str], sql: str) -> list[Any]:
    """Rows from the database of this environment; ``{schema}`` is its schema."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(environ["GALAXY_MAIL_DSN"])
        try:
            return list(await connection.fetch(sql.replace("{schema}", environ["GALAXY_MAIL_SCHEMA"])))
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.fixture
def cli(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Call ``main`` in this process, in the environment as it stands then."""

    def call(*arguments: str) -> Ran:
        monkeypatch.setattr(os, "environ", environ)
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as left:  # argparse
            code = int(left.code or 0)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return call


@pytest.fixture
def ready(outbox: dict[str, str], cli: Cli) -> Cli:
    """The same, on a migrated schema."""
    assert cli("migrate").code == 0, outbox
    return cli
