"""The outages of a memory store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import attrs

from galaxy_mail.adapters.memory.instants import StoreTime
from galaxy_mail.domain.notices import OutageNotice
from galaxy_mail.domain.outages import LASTS, RELAY, REPEATS, Outage
from galaxy_mail.domain.verdicts import Verdict


@attrs.define(eq=False)
class OutageRow:
    """One outage; ``notify_after`` is set while somebody has yet to be told."""

    outage_id: UUID
    scope: str
    cause: Verdict
    opened_at: datetime
    probe_at: datetime
    notify_after: datetime | None
    trips: int = 1
    closed_at: datetime | None = None
    repeats: bool = False

    def ended_lately(self, now: datetime) -> bool:
        """Whether one of its scope that begins ``now`` repeats it."""
        return self.closed_at is not None and self.closed_at > now - REPEATS

    def tell_of_its_end(self, now: datetime) -> None:
        """Unless it is one of many that did not last."""
        self.notify_after = None if self.repeats and now < self.opened_at + LASTS else now

    def seen(self, now: datetime) -> Outage:
        """The outage as a worker knows it ``now``."""
        return Outage(self.outage_id, self.scope, self.trips, self.probe_at - now, self.cause.blame)

    def notice(self) -> OutageNotice:
        """What a person is told of it."""
        return OutageNotice(
            outage_id=self.outage_id,
            scope=self.scope,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            blame=self.cause.blame,
            stage=self.cause.stage,
            said=self.cause.said,
            detail=self.cause.detail,
        )


class MemoryOutages:
    """The port ``Outages`` over a list."""

    def __init__(self, time: StoreTime) -> None:
        self._time = time
        self._rows: list[OutageRow] = []
        self._serial = count(1)

    @property
    def rows(self) -> Sequence[OutageRow]:
        """All there were, for a test to look at."""
        return self._rows

    async def open(self) -> tuple[Outage, ...]:
        """See ``Outages.open``."""
        now = self._time.now()
        return tuple(row.seen(now) for row in self._rows if row.closed_at is None)

    async def begin(self, scope: str, cause: Verdict, probe_in: timedelta) -> Outage:
        """See ``Outages.begin``."""
        now = self._time.now()
        row = next((row for row in self._rows if row.scope == scope and row.closed_at is None), None)
        if row is None:
            row = OutageRow(UUID(int=next(self._serial)), scope, cause, now, now + probe_in, now)
            if any(old.ended_lately(now) for old in self._rows if old.scope == scope):
                row.repeats, row.notify_after = True, now + LASTS
            self._rows.append(row)
        return row.seen(now)

    async def take_probe(self, outage: Outage, hold: timedelta) -> bool:
        """See ``Outages.take_probe``."""
        row, now = self._current(outage), self._time.now()
        if row is None or row.probe_at > now:
            return False
        row.probe_at = now + hold
        return True

    async def prolong(self, outage: Outage, probe_in: timedelta) -> Outage | None:
        """See ``Outages.prolong``."""
        row, now = self._current(outage), self._time.now()
        if row is None:
            return None
        row.trips, row.probe_at = row.trips + 1, now + probe_in
        return row.seen(now)

    async def hasten(self, outage: Outage, hold: timedelta) -> Outage | None:
        """See ``Outages.hasten``."""
        row, now = self._current(outage), self._time.now()
        if row is None:
            return None
        if row.probe_at > now + hold:
            row.probe_at = now
        return row.seen(now)

    async def end(self, outage: Outage) -> None:
        """See ``Outages.end``."""
        if row := self._current(outage):
            row.closed_at = self._time.now()
            row.tell_of_its_end(row.closed_at)

    async def take_notice(self, hold: timedelta) -> OutageNotice | None:
        """See ``Outages.take_notice``."""
        now = self._time.now()
        for row in self._rows:
            if row.notify_after is not None and row.notify_after <= now:
                row.notify_after = now + hold
                return row.notice()
        return None

    async def mark_told(self, notice: OutageNotice) -> None:
        """See ``Outages.mark_told``."""
        for row in self._rows:
            if row.outage_id == notice.outage_id and (row.closed_at is None) == (notice.closed_at is None):
                row.notify_after = None

    def relay_left_alone(self, lately: datetime) -> datetime | None:
        """Since when nobody claimed: the beginning of the first outage of the relay that is open, or ended only lately."""
        relays = [row for row in self._rows if row.scope == RELAY]
        return min(
            (row.opened_at for row in relays if row.closed_at is None or row.closed_at > lately), default=None
        )

    def forget(self, before: datetime) -> None:
        """Drop what ended before, and what is open and was not probed for as long and a day; but none that is yet to be told."""
        self._rows = [
            row
            for row in self._rows
            if row.notify_after is not None or (row.closed_at or row.probe_at + timedelta(days=1)) >= before
        ]

    def _current(self, outage: Outage) -> OutageRow | None:
        known = (outage.outage_id, outage.trips, None)
        rows = (row for row in self._rows if (row.outage_id, row.trips, row.closed_at) == known)
        return next(rows, None)
