"""The outages of a PostgreSQL store: one row each, and what changes it one statement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg

from galaxy_mail.adapters.postgres.rows import Row
from galaxy_mail.domain.notices import OutageNotice
from galaxy_mail.domain.outages import LASTS, REPEATS, Outage
from galaxy_mail.domain.verdicts import Blame, Stage, Verdict

Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]


class PostgresOutages:
    """The port ``Outages``; ``fetch`` runs a statement by its name."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def open(self) -> tuple[Outage, ...]:
        """See ``Outages.open``."""
        return tuple(map(_outage_from, await self._fetch("open_outages")))

    async def begin(self, scope: str, cause: Verdict, probe_in: timedelta) -> Outage:
        """See ``Outages.begin``."""
        (row,) = await self._fetch(
            "begin_outage",
            scope,
            probe_in,
            cause.stage,
            cause.blame,
            cause.said,
            cause.detail,
            REPEATS,
            LASTS,
        )
        return _outage_from(row)

    async def take_probe(self, outage: Outage, hold: timedelta) -> bool:
        """See ``Outages.take_probe``."""
        return bool(await self._fetch("take_probe", *outage.key, hold))

    async def prolong(self, outage: Outage, probe_in: timedelta) -> Outage | None:
        """See ``Outages.prolong``."""
        found = await self._fetch("prolong_outage", *outage.key, probe_in)
        return _outage_from(found[0]) if found else None

    async def hasten(self, outage: Outage, hold: timedelta) -> Outage | None:
        """See ``Outages.hasten``."""
        found = await self._fetch("hasten_outage", *outage.key, hold)
        return _outage_from(found[0]) if found else None

    async def end(self, outage: Outage) -> None:
        """See ``Outages.end``."""
        await self._fetch("end_outage", *outage.key, LASTS)

    async def take_notice(self, hold: timedelta) -> OutageNotice | None:
        """See ``Outages.take_notice``."""
        for row in await self._fetch("take_outage_notice", hold):
            return OutageNotice(
                outage_id=row["outage_id"],
                scope=row["scope"],
                opened_at=row["opened_at"],
                closed_at=row["closed_at"],
                blame=Blame(row["blame"]),
                stage=Stage(row["stage"]),
                said=row["said"],
                detail=row["detail"],
            )
        return None

    async def mark_told(self, notice: OutageNotice) -> None:
        """See ``Outages.mark_told``."""
        await self._fetch("mark_outage_told", notice.outage_id, notice.closed_at is not None)


def _outage_from(row: Row) -> Outage:
    return Outage(row["outage_id"], row["scope"], row["trips"], row["probe_in"], Blame(row["blame"]))
