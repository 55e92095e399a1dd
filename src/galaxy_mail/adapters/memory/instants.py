"""The memory store's own time: like a database's clock, it is the only one that decides what is due, leased or expired."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from galaxy_mail.domain.ports import Clock


class StoreTime:
    """The wall clock, asked once and carried on by the monotonic clock: it never jumps and never runs backwards."""

    def __init__(self, clock: Clock | None = None) -> None:
        # The store is the authority on time here, so without a clock it asks the system itself.
        self._monotonic = clock.monotonic if clock else time.monotonic  # noqa: TID251
        started = clock.now() if clock else datetime.now(UTC)  # noqa: TID251
        self._epoch = started - timedelta(seconds=self._monotonic())

    def now(self) -> datetime:
        """This instant, aware, in UTC, to the microsecond."""
        return self._epoch + timedelta(seconds=self._monotonic())
