"""Telling the administrator: beside delivery, never in its way, at least once."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.errors import InfrastructureError
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.ports import AdminNotifier, Clock, Queue


class Herald:
    """Takes notices from the queue and hands them to the notifier; what fails is told again later.

    A notice is hidden from other heralds for as long as telling this batch may take, so usually one of them tells it.
    """

    def __init__(
        self,
        *,
        queue: Queue,
        notifier: AdminNotifier,
        clock: Clock,
        config: RuntimeConfig,
        logger: logging.Logger,
    ) -> None:
        self._queue = queue
        self._notifier = notifier
        self._clock = clock
        self._config = config
        self._log = logger

    async def run(self) -> None:
        """Tell what comes up, for ever."""
        while True:
            if not await self.tell_once():
                await self._clock.sleep(self._config.poll_interval.total_seconds())

    async def tell_once(self) -> int:
        """Tell one batch; return how many administrators' notices were told."""
        batch, timeout = self._config.notice_batch, self._config.notice_timeout
        told: list[UUID] = []
        try:
            notices = await self._queue.take_notices(batch, timeout * (batch + 1))
            told = [notice.delivery_id for notice in notices if await self._tell(notice)]
            if told:
                await self._queue.mark_told(told)
        except InfrastructureError as error:
            self._log.warning("cannot read or mark notices: %s", error)
        return len(told)

    async def _tell(self, notice: Notice) -> bool:
        try:
            async with asyncio.timeout(self._config.notice_timeout.total_seconds()):
                await self._notifier.notify(notice)
        except Exception as error:  # noqa: BLE001 - a host's notifier may raise anything; it must not stop the next notice
            self._log.error(
                "the notifier failed for delivery %s: %s", notice.delivery_id, type(error).__name__
            )
            return False
        return True
