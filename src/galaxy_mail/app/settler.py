"""Group commit: whatever has finished while the last commit ran is written down by the next.

So success is recorded within one commit of the server's reply, and a busy worker needs few commits.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import attrs

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.errors import StoreUnavailable
from galaxy_mail.domain.ports import Clock, Queue
from galaxy_mail.domain.settlement import Settlement


@attrs.frozen(eq=False)
class Waiting:
    """A settlement, and who waits for it since when."""

    settlement: Settlement
    since: float  # by the worker's monotonic clock
    written: asyncio.Future[bool]

    def as_of(self, now: float) -> Settlement:
        """As it is to be written ``now``: it says how long it has waited, or its attempt would seem to have ended with its commit."""
        return attrs.evolve(self.settlement, ended_ago=timedelta(seconds=now - self.since))


Batch: TypeAlias = list[Waiting]


class Settler:
    """Takes settlements one by one and writes them together."""

    def __init__(self, *, queue: Queue, clock: Clock, config: RuntimeConfig, logger: logging.Logger) -> None:
        self._queue = queue
        self._clock = clock
        self._config = config
        self._log = logger
        self._waiting: Batch = []
        self._arrived = asyncio.Event()

    async def settle(self, settlement: Settlement) -> bool:
        """Return once it is committed: True if it won, False if the claim had been lost."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(settlement, self._clock.monotonic(), written))
        self._arrived.set()
        return await written

    async def run(self) -> None:
        """Commit, for ever. Cancel it when nothing more can come."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            await self._commit(batch)

    async def _commit(self, batch: Batch) -> None:
        # A commit whose answer was lost is tried again like any other: its tokens are spent, so it can only lose.
        while True:
            try:
                now = self._clock.monotonic()
                lost = await self._queue.settle([waiting.as_of(now) for waiting in batch])
            except StoreUnavailable as error:
                if error.data_refused:
                    return await self._isolate(batch, str(error))
                self._log.warning("cannot settle %d deliveries yet: %s", len(batch), error)
                await self._clock.sleep(self._config.poll_interval.total_seconds())
            except Exception as error:  # noqa: BLE001 - a bug that one settlement brings out must not stop all others
                return await self._isolate(batch, type(error).__name__)
            else:
                return _answer(batch, lost)

    async def _isolate(self, batch: Batch, problem: str) -> None:
        # One settlement that the store will never take must not hold up its batch-mates. Its lease will run out.
        if len(batch) > 1:
            for one in batch:
                await self._commit([one])
        else:
            self._log.error(
                "delivery %s cannot be settled: %s", batch[0].settlement.held.delivery_id, problem
            )
            _answer(batch, frozenset({batch[0].settlement.held.delivery_id}))


def _answer(batch: Batch, lost: frozenset[UUID]) -> None:
    for waiting in batch:
        if not waiting.written.done():
            waiting.written.set_result(waiting.settlement.held.delivery_id not in lost)
