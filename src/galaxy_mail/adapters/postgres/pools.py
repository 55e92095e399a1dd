"""The types of pools and transactions, and a pool for those who bring none.

Its waits are bounded, and it caches no statements where a pooler in transaction mode forbids it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from galaxy_mail.adapters.postgres.border import border
from galaxy_mail.domain.errors import InvalidSettings, StoreUnavailable

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    PostgresTransaction: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    PostgresTransaction = asyncpg.Connection | PoolConnectionProxy

CONNECT_SECONDS = 10.0
# A half-open connection is noticed after this; no statement of ours takes nearly as long, but those of migrations.
STATEMENT_SECONDS = 30.0
CLOSE_SECONDS = 10.0
CACHED_STATEMENTS = 100  # the driver's own default


_no_trace: ContextVar[bool] = ContextVar("no_trace", default=False)


@contextmanager
def leaving_no_trace() -> Iterator[None]:
    """Within it a connection of ``open_pool`` is given back as it was found: no session state, so nothing to reset.

    The driver would say RESET ALL and more after every use, which costs a busy worker a fifth of its time.
    """
    mark = _no_trace.set(True)
    try:
        yield
    finally:
        _no_trace.reset(mark)


async def _reset(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    if not _no_trace.get():
        await connection.execute(connection.get_reset_query())


@asynccontextmanager
async def open_pool(
    dsn: str, *, size: int = 10, statement_cache: bool = True, lazy: bool = False
) -> AsyncIterator[Pool]:
    """A pool of at most ``size`` connections; ``statement_cache=False`` is for pgbouncer in transaction mode.

    A ``lazy`` one connects when it is first used, so that somebody can say that the database is away.

    Raises:
        InvalidSettings: if the driver cannot make sense of ``dsn``.
        StoreUnavailable: if the database cannot be reached.
    """
    with border("connect"):
        try:
            pool = await asyncpg.create_pool(
                dsn,
                # Whoever fails to connect says so; a pool that keeps some open fills the log by itself in an outage.
                min_size=0,
                max_size=size,
                timeout=CONNECT_SECONDS,
                command_timeout=STATEMENT_SECONDS,
                reset=_reset,
                server_settings={"application_name": "galaxy_mail"},
                statement_cache_size=CACHED_STATEMENTS if statement_cache else 0,
            )
            if not lazy:
                await pool.release(await pool.acquire())
        except (ValueError, OverflowError):  # the driver's text may quote it, password included
            raise InvalidSettings(["dsn: the driver cannot read it (a port, host name or option)"]) from None
    try:
        yield pool
    finally:
        try:
            with border("close"):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await pool.close()
        except StoreUnavailable:  # it does not answer, or went away meanwhile
            pool.terminate()
