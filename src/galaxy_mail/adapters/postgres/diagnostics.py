"""The Diagnostics on PostgreSQL: indexes, the server's own statistics, and its list of sessions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import asyncpg

from galaxy_mail.adapters.postgres.border import border
from galaxy_mail.adapters.postgres.migrations import check
from galaxy_mail.adapters.postgres.pools import Pool
from galaxy_mail.adapters.postgres.statements import Statements
from galaxy_mail.domain.health import OpenTransaction, TableHealth, Transactions, Untold

MOST_UNTOLD = 10_000  # enough to say that it is many


class PostgresDiagnostics:
    """A store's schema and the database around it. Without the role ``pg_read_all_stats`` it sees its own sessions only."""

    def __init__(self, pool: Pool, schema: str = "galaxy_mail") -> None:
        self._pool = pool
        self._schema = schema
        self._sql = Statements(schema)

    async def check_schema(self) -> None:
        """See ``Diagnostics.check_schema``."""
        await check(self._pool, self._schema)

    async def now(self) -> datetime:
        """See ``Diagnostics.now``."""
        with border("now"):
            return cast(datetime, await self._pool.fetchval("select clock_timestamp()"))

    async def oldest_due(self) -> timedelta | None:
        """See ``Diagnostics.oldest_due``."""
        row = await self._row("oldest_due")
        return cast("timedelta | None", row["wait"])

    async def untold(self) -> Untold:
        """See ``Diagnostics.untold``; what is more than ``MOST_UNTOLD`` is not counted."""
        return Untold(**await self._row("untold", MOST_UNTOLD))

    async def tables(self) -> tuple[TableHealth, ...]:
        """See ``Diagnostics.tables``."""
        return tuple(TableHealth(**row) for row in await self._fetch("table_health", self._schema))

    async def transactions(self) -> Transactions:
        """See ``Diagnostics.transactions``; a prepared transaction holds back vacuum as an open one does."""
        row = await self._row("oldest_transaction")
        if row["age"] is None:
            return Transactions(None, row["hidden"])
        return Transactions(OpenTransaction(row["age"], row["held_by"], row["pid"]), row["hidden"])

    async def _fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        with border(statement):
            return await self._pool.fetch(self._sql[statement], *values)

    async def _row(self, statement: str, *values: Any) -> asyncpg.Record:
        (row,) = await self._fetch(statement, *values)
        return row
