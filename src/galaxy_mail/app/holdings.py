"""All claims in one worker's hands: their number, their leases, and giving them back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator
from uuid import UUID

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.holding import Holding, Progress
from galaxy_mail.app.sign_of_life import SignOfLife
from galaxy_mail.domain.errors import InfrastructureError
from galaxy_mail.domain.leases import Claim, Sign
from galaxy_mail.domain.ports import Clock, Queue

RENEWABLE = (Progress.UNTOUCHED, Progress.BEGUN)


class Holdings:
    """What a worker holds. Every claim is in here from the moment the store answered until its settlement is written."""

    def __init__(
        self, *, queue: Queue, life: SignOfLife, clock: Clock, config: RuntimeConfig, logger: logging.Logger
    ) -> None:
        self._queue = queue
        self._life = life
        self._clock = clock
        self._lease = config.lease
        self._pause = config.lease.total_seconds() * config.renewal_share
        self._log = logger
        self._all: dict[UUID, Holding] = {}
        self._renewing = asyncio.Lock()
        self._goal = 0
        self._at_goal = asyncio.Event()

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Holding]:
        return iter(tuple(self._all.values()))

    def take(self, claim: Claim, asked: float, sign: Sign | None) -> Holding:
        """Hold a claim that was asked for at ``asked``, under ``sign``."""
        if (earlier := self._all.get(claim.held.delivery_id)) is not None:
            earlier.withdraw()  # its lease ran out, and we were the next to come; nobody would renew or cancel it any more
        holding = Holding(claim, asked, self._lease, self._clock, self._life, sign)
        self._all[claim.held.delivery_id] = holding
        return holding

    def drop(self, holding: Holding) -> None:
        """Hold it no longer."""
        if self._all.get(holding.claim.held.delivery_id) is holding:
            del self._all[holding.claim.held.delivery_id]
        if len(self._all) <= self._goal:
            self._at_goal.set()

    async def at_most(self, number: int) -> None:
        """Return once no more than ``number`` are held. One may wait at a time: the claim loop, or after it the drain."""
        self._goal = number
        while len(self._all) > number:
            self._at_goal.clear()
            await self._at_goal.wait()

    async def renew_forever(self) -> None:
        """Extend the leases in good time, again and again."""
        while True:
            await self._clock.sleep(self._pause)
            await self.renew()

    async def renew(self, complain: int = logging.WARNING) -> None:
        """Extend the lease of all that is neither withdrawn nor being settled; withdraw what was lost.

        If the store does not answer (told at the level ``complain``), nothing is withdrawn: trust ends when the lease does.
        """
        async with self._renewing:
            renewable = [holding for holding in self if holding.progress in RENEWABLE]
            asked, sign = self._clock.monotonic(), self._life.now
            held = [holding.claim.held for holding in renewable]
            try:
                lost = await self._queue.renew(held, self._lease, sign)
            except InfrastructureError as error:
                self._log.log(complain, "cannot renew %d leases: %s", len(renewable), error)
                return
        for holding in renewable:
            if holding.claim.held.delivery_id not in lost:
                holding.renewed(asked, self._lease, sign)
            elif holding.withdraw():
                self.drop(holding)

    async def secure(self) -> None:
        """Renew at once if anything is not trusted any more, or held under another sign of life than there is now."""
        held = [holding for holding in self if holding.progress in RENEWABLE]
        if any(holding.sign != self._life.now or not holding.trusted for holding in held):
            await self.renew(complain=logging.DEBUG)  # the loop beside it tells of an outage often enough

    async def hand_over(self, holding: Holding) -> None:
        """Renew it no more; return when no renewal of it is under way. Two statements that lock the same rows in different
        orders would be a deadlock.
        """
        holding.hand_over()
        async with self._renewing:
            pass

    def withdraw_untouched(self) -> None:
        """Let no further body begin."""
        for holding in self:
            holding.withdraw()

    async def give_back_waiting(self, but: Collection[Holding] = ()) -> None:
        """Release all that has not had its turn yet ``but`` these; whoever is free may have it."""
        for holding in self:
            if holding.task is None and holding not in but:
                holding.withdraw()
        await self.give_back()

    async def give_back(self) -> None:
        """Release all that is withdrawn."""
        withdrawn = [holding for holding in self if holding.progress is Progress.WITHDRAWN]
        for holding in withdrawn:
            self.drop(holding)
        try:
            await self._queue.release([holding.claim.held for holding in withdrawn])
        except InfrastructureError as error:
            self._log.warning(
                "cannot release %d claims, their leases will run out: %s", len(withdrawn), error
            )

    def abandon(self) -> None:
        """Work on nothing any more; what is still leased is left to its lease."""
        for holding in self:
            if holding.task is not None:
                holding.task.cancel()
