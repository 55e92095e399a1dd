"""Telling the administrator: beside delivery, never in its way, at least once."""

from __future__ import annotations

import asyncio
import logging

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.errors import GalaxyMailError, InfrastructureError
from galaxy_mail.domain.notices import AnyNotice
from galaxy_mail.domain.ports import AdminNotifier, Clock, Queue


class Herald:
    """Takes notices from the queue, one by one, and hands them to the notifier; what fails is told again later.

    A notice is hidden from other heralds for as long as telling it may take, so usually one of them tells it.

    The notifier may go through the relay that is left alone: so it is left alone too, by the same cool-down.
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
        self._outages = queue.outages()
        self._notifier = notifier
        self._clock = clock
        self._config = config
        self._log = logger
        self._busy = asyncio.Lock()
        self._failures = 0  # in a row

    async def run(self) -> None:
        """Tell what comes up, for ever."""
        while True:
            await self.tell_all()
            pause, patience = self._config.poll_interval, self._config.notifier_failures
            if self._failures >= patience:
                pause = max(pause, self._config.breaker.cool_down.middle(1 + self._failures - patience))
            await self._clock.sleep(pause.total_seconds())

    async def tell_all(self) -> None:
        """Return when nothing is left to be told, or the notifier fails again and again; what could not be told now comes up
        again after its hold.
        """
        async with self._busy:  # whoever asks while a notice is being told, waits for it
            while await self._tell_next() and self._failures < self._config.notifier_failures:
                pass

    async def _tell_next(self) -> bool:
        """Whether there was a notice: of an outage, of a delivery, or both, so that neither keeps the other back."""
        hold = 2 * self._config.notice_timeout
        try:
            outage = await self._outages.take_notice(hold)
            if outage and await self._tell(outage, f"the outage of {outage.scope}"):
                await self._outages.mark_told(outage)
            notices = await self._queue.take_notices(1, hold)
            for notice in notices:
                if await self._tell(notice, f"delivery {notice.delivery_id}"):
                    await self._queue.mark_told([notice])
        except InfrastructureError as error:
            self._log.warning("cannot read or mark notices: %s", error)
            return False
        return bool(outage or notices)

    async def _tell(self, notice: AnyNotice, about: str) -> bool:
        try:
            async with asyncio.timeout(self._config.notice_timeout.total_seconds()):
                await self._notifier.notify(notice)
        except GalaxyMailError as error:
            self._log.error("the notifier failed for %s: %s", about, error)
        except Exception as error:  # noqa: BLE001 - a host's notifier may raise anything; it must not stop the next notice
            self._log.error("the notifier failed for %s: %s", about, type(error).__name__)
        else:
            self._failures = 0
            return True
        self._failures += 1
        return False
