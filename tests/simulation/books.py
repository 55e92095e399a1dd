"""All that is known of a world at its end: what invariants are checked against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import attrs

from galaxy_mail.adapters.memory.outages import OutageRow
from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.app import RuntimeConfig
from tests.simulation.clocks import GENESIS
from tests.simulation.database import Change
from tests.simulation.ledger import Begun, Copy


def seconds(instant: datetime) -> float:
    """An instant of the store as seconds since the beginning of the world."""
    return (instant - GENESIS) / timedelta(seconds=1)


@attrs.frozen
class Books:
    """The store's side, the relay's side, and what people were promised and told."""

    config: RuntimeConfig
    rows: Mapping[UUID, Row]
    changes: Sequence[Change]
    closed: frozenset[tuple[UUID, int]]  # claims that ended without an attempt, by number
    copies: Sequence[Copy]
    usurpers: Sequence[str]
    bodies: Sequence[Begun]
    promised: frozenset[UUID]
    taken_back: frozenset[UUID]
    told: frozenset[tuple[UUID, datetime]]
    outages: Sequence[OutageRow]
    told_of_outages: frozenset[tuple[UUID, datetime | None]]
    calm_at: float
    rested_at: float  # when nothing was to be done any more, and whoever worked was asked to stop
    excuses: Mapping[str, Sequence[float]]  # by worker
    deaf: Sequence[str]  # workers that had to be asked again to stop
    troubles: tuple[str, ...]  # whatever went wrong with the world itself: crashes, and what did not end

    def copies_of(self, row: Row) -> list[Copy]:
        """The relay's copies of a mail."""
        return [copy for copy in self.copies if copy.message_id == row.message_id]
