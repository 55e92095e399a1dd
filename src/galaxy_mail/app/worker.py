"""The worker: pacing only. How much to claim, when to look again, whose leases to renew, how to stop.

Five loops run side by side. The first claims, and idles while nothing is due; the second renews leases; the third tells the
administrator; the fourth keeps the worker's sign of life, and the fifth looks for those of others. Each claim waits for its
turn (see ``turns``), which makes its delivery pass and hands the settlement to the settler, whose group commit is one more.

Stopping: nothing more is claimed. A claim whose body has not begun is withdrawn (its gate is shut, so it cannot begin any
more) and given back untouched. One whose body has begun is waited for, at most ``stop_grace``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.delivery_pass import DeliveryPass
from galaxy_mail.app.herald import Herald
from galaxy_mail.app.holding import Holding, Progress
from galaxy_mail.app.holdings import Holdings
from galaxy_mail.app.idling import Idling
from galaxy_mail.app.lookout import Lookout
from galaxy_mail.app.settler import Settler
from galaxy_mail.app.sign_of_life import SignOfLife
from galaxy_mail.app.turns import Turns
from galaxy_mail.domain.errors import InfrastructureError
from galaxy_mail.domain.leases import ClaimRequest
from galaxy_mail.domain.ports import Clock, Store, Tx


class Worker:
    """Sends what is due. Any number of workers, in any number of processes and hosts, share one store."""

    def __init__(
        self,
        *,
        name: str,
        store: Store[Tx],
        delivery_pass: DeliveryPass,
        settler: Settler,
        herald: Herald,
        clock: Clock,
        config: RuntimeConfig,
        logger: logging.Logger,
    ) -> None:
        self.name = name
        self._store = store
        self._pass = delivery_pass
        self._settler = settler
        self._herald = herald
        self._clock = clock
        self._config = config
        self._log = logger
        self._bell = store.bell()
        self._life = SignOfLife(bell=self._bell, clock=clock, config=config)
        self._holdings = Holdings(queue=store, life=self._life, clock=clock, config=config, logger=logger)
        self._lookout = Lookout(
            queue=store, holdings=self._holdings, clock=clock, config=config, logger=logger
        )
        self._breakers = delivery_pass.breakers
        self._turns = Turns(config, self._work, lambda: self._breakers.width)
        self._breakers.turned = self._turns.forget
        self._sweep_at = 0.0
        self._asking: asyncio.Future[list[Holding]] | None = None

    async def run(self) -> None:
        """Work until cancelled, then drain; the cancellation is passed on when all is settled or given back."""
        async with self._working() as idling:
            while True:
                await self._work_while_due(idling)
                await idling.wait()

    async def run_until_empty(self) -> None:
        """Work until nothing is pending, retrying or leased anywhere; so it waits for retries. Then tell what is untold."""
        async with self._working() as idling:
            while True:
                await self._work_while_due(idling)
                if await self._all_done():
                    break
                await idling.wait()
            await self._breakers.report()
            await self._herald.tell_all()

    async def _work_while_due(self, idling: Idling) -> None:
        """Claim and start until nothing is due, also after the bell was armed."""
        while True:
            while await self._claim_round():
                idling.over()
            await idling.prepare()
            if not await self._claim_round():
                return

    @contextlib.asynccontextmanager
    async def _working(self) -> AsyncIterator[Idling]:
        self._log.info("worker %s starts", self.name)
        idling = Idling(bell=self._bell, clock=self._clock, config=self._config, logger=self._log)
        loops = (
            self._settler.run(),
            self._holdings.renew_forever(),
            self._herald.run(),
            self._life.keep(),
            self._lookout.run(),
        )
        # A loop that dies of a bug takes the worker with it, after a drain.
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop) for loop in loops]
            try:
                yield idling
            finally:
                try:
                    await self._drain()
                    await self._bounded(self._breakers.report(), self._config.release_timeout)
                finally:
                    for task in tasks:
                        task.cancel()
                    self._log.info("worker %s ends", self.name)
                    await idling.close()  # nobody keeps the sign of life any more

    async def _claim_round(self) -> bool:
        """Claim once half of the hand is free, or sooner for a login code; say whether anything was due."""
        most = self._config.batch_size
        while not await self._bounded(self._holdings.at_most(most // 2), self._config.urgent_look):
            if self._lookout.found:  # what a dead worker left comes first, and is worked on without others
                await self._holdings.give_back_waiting()
                break
            if len(self._holdings) < most and await self._urgent_due():
                # A small claim is a quick one.
                most = min(most, len(self._holdings) + self._config.deliveries_at_once)
                break
        claimed = await self._claim_next(most - len(self._holdings))
        if claimed and claimed[0].claim.suspect:
            await self._try_suspects(claimed)
        else:
            for holding in claimed:
                self._turns.add(holding)
        return bool(claimed)

    async def _urgent_due(self) -> bool:
        try:
            return await self._store.urgent_due()
        except InfrastructureError:  # the claim will tell of it
            await self._clock.sleep(self._config.poll_interval.total_seconds())
            return False

    async def _try_suspects(self, claimed: list[Holding]) -> None:
        # They were in the hands of a worker that died. If it died of one of them, nobody else is to be blamed. But neither a
        # server that ponders over another mail nor a suspect that does not end may stop everybody: so, for a lease at most.
        await self._holdings.give_back_waiting(but=claimed)
        await self._bounded(self._holdings.at_most(len(claimed)), self._config.lease)
        for holding in claimed:
            self._turns.add(holding)
        await self._bounded(self._holdings.at_most(0), self._config.lease)

    async def _claim_next(self, most: int) -> list[Holding]:
        """What may be sent now; while the relay is left alone, at times what is overdue and needs no relay to end."""
        if room := await self._breakers.room(most):
            return await self._claim(room)
        asked = self._clock.monotonic()
        if asked < self._sweep_at:
            return []
        overdue = await self._claim(most, self._config.retry.max_age)
        # If there are none it has looked at all that is due. However many those are, only a share of the time is spent on it.
        if not overdue:
            pause, took = self._config.poll_interval.total_seconds(), self._clock.monotonic() - asked
            self._sweep_at = asked + max(pause + took, self._config.sweep_share * took)
        return overdue

    async def _claim(self, limit: int, overdue_after: timedelta | None = None) -> list[Holding]:
        config = self._config
        limits = (config.retry.abandoned_limit, config.suspects_together, config.share_behind)
        request = ClaimRequest(
            self.name, limit, config.lease, *limits, sign=self._life.now, overdue_after=overdue_after
        )
        self._lookout.found = False
        asked = self._clock.monotonic()
        # If we are cancelled meanwhile the store may still issue claims: the drain waits for them and gives them back.
        self._asking = asyncio.ensure_future(self._ask(request, asked))
        return await asyncio.shield(self._asking)

    async def _ask(self, request: ClaimRequest, asked: float) -> list[Holding]:
        try:
            claims = await self._store.claim(request)
            return [self._holdings.take(claim, asked, request.sign) for claim in claims]
        except InfrastructureError as error:
            self._log.warning("cannot claim: %s", error)
            return []

    async def _work(self, holding: Holding) -> None:
        try:
            await holding.until_trusted()  # else its gate would be shut, which costs it an attempt
            settlement = await self._pass.deliver(holding)
            self._turns.over(holding)  # what is left is the settler's work
            await self._holdings.hand_over(holding)
            await self._settler.settle(settlement)
        finally:
            if holding.progress is not Progress.WITHDRAWN:  # else whoever withdrew it has yet to give it back
                self._holdings.drop(holding)
        await self._breakers.report()

    async def _all_done(self) -> bool:
        """Whether nothing is left here or anywhere; waits a little for what is in hand."""
        await self._bounded(self._holdings.at_most(0), self._config.poll_interval)
        if self._holdings:
            return False
        try:
            stats = await self._store.stats()
        except InfrastructureError as error:
            self._log.warning("cannot count: %s", error)
            return False
        return not any(number for status, number in stats.items() if not status.terminal)

    async def _drain(self) -> None:
        self._holdings.withdraw_untouched()
        await self._bounded(self._give_back(), self._config.release_timeout)
        if not await self._bounded(self._holdings.at_most(0), self._config.stop_grace):
            self._log.error(
                "%d transactions did not end in time; their leases will run out", len(self._holdings)
            )
            self._holdings.abandon()

    async def _give_back(self) -> None:
        if self._asking is not None:
            await asyncio.wait((self._asking,))
            # Nobody may be left who waits for its error.
            if not self._asking.cancelled() and (error := self._asking.exception()):
                self._log.warning("the last claim failed: %s", type(error).__name__)
            self._holdings.withdraw_untouched()
        await self._holdings.give_back()

    async def _bounded(self, work: Awaitable[None], limit: timedelta) -> bool:
        """Whether ``work`` was done in time; it is cancelled otherwise."""
        try:
            # Not wait_for: on Python 3.11 it swallows a cancellation that comes as the work ends, and a stop goes unheard.
            async with asyncio.timeout(limit.total_seconds()):
                await work
        except TimeoutError:
            return False
        return True
