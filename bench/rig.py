"""What all measures stand on: one PostgreSQL, fresh databases on it, the sinks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import attrs

from bench import sinks
from bench.sizes import Sizes
from galaxy_mail.adapters.embedded_postgres.server import EmbeddedPostgres

VARIABLE = "GALAXY_MAIL_BENCH_DSN"
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}


@attrs.frozen
class Rig:
    """The server and the sizes of a run."""

    server: str = attrs.field(repr=False)  # the address of its first database
    sizes: Sizes

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[str]:
        """The address of a fresh, empty database, which goes when the block ends."""
        name = f"galaxy_mail_bench_{name}"
        drop = f"drop database if exists {name} with (force)"
        connection = await asyncpg.connect(self.server)
        try:
            await connection.execute(drop)
            await connection.execute(f"create database {name}")
            yield urlunsplit(urlsplit(self.server)._replace(path=f"/{name}"))
        finally:
            await connection.execute(drop)
            await connection.close()

    def sink(self) -> AbstractAsyncContextManager[sinks.PostfixSink | sinks.OwnSink]:
        """The sink that everybody drains into: Postfix's where it is installed, else ours."""
        return sinks.postfix_sink() if sinks.find("smtp-sink") else sinks.own_sink()

    async def version(self) -> str:
        """The server's version."""
        connection = await asyncpg.connect(self.server)
        try:
            return str(await connection.fetchval("show server_version"))
        finally:
            await connection.close()


async def settle_down(dsn: str) -> None:
    """Everybody starts from tables that are vacuumed and analysed, and from a finished checkpoint."""
    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        await connection.execute("vacuum (analyze)")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


@contextmanager
def server() -> Iterator[str]:
    """The address of the server of this run: the one you name, or an embedded one with fsync, for the run alone."""
    if named := os.environ.get(VARIABLE):
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="galaxy-mail-bench-", ignore_cleanup_errors=True) as folder:
        embedded = EmbeddedPostgres(Path(folder), fsync=True, settings=SETTINGS)
        try:
            embedded.start()
            yield embedded.dsn
        finally:
            embedded.remove()
