"""Looking for workers that are gone, so that what they held need not wait for its leases."""

from __future__ import annotations

import logging

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.holdings import Holdings
from galaxy_mail.domain.errors import InfrastructureError
from galaxy_mail.domain.leases import Sign
from galaxy_mail.domain.ports import Clock, Queue


class Lookout:
    """One worker's looks for the signs of life of all; ``found`` says that leases were ended since it was last cleared."""

    def __init__(
        self, *, queue: Queue, holdings: Holdings, clock: Clock, config: RuntimeConfig, logger: logging.Logger
    ) -> None:
        self._queue = queue
        self._holdings = holdings
        self._clock = clock
        self._pause = config.sign_pause.total_seconds()
        self._looks = config.looks_in_vain
        self._log = logger
        self._missed: dict[Sign, int] = {}  # in how many looks in a row
        self.found = False

    async def run(self) -> None:
        """Look again and again; before each look, see that what is held here is safe from the looks of others."""
        while True:
            await self._clock.sleep(self._pause)
            await self._holdings.secure()
            await self._look()

    async def _look(self) -> None:
        gone = frozenset(sign for sign, looks in self._missed.items() if looks >= self._looks - 1)
        try:
            absence = await self._queue.end_leases_of_the_gone(gone)
        except InfrastructureError as error:
            # Who was away with the database itself has yet to come back: count afresh.
            self._missed.clear()
            self._log.debug("cannot look for signs of life: %s", error)
            return
        self._missed = {sign: self._missed.get(sign, 0) + 1 for sign in absence.missing}
        if absence.ended:
            self.found = True
            self._log.warning("a worker is gone; %d of its leases end now", absence.ended)
