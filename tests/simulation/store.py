"""One process's line to the database: it is slow, it breaks before a call or after it, and it dies with its process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from galaxy_mail.adapters.memory import MemoryTransaction
from galaxy_mail.adapters.memory.bell import MemoryBell
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import GalaxyMailError, StoreUnavailable
from galaxy_mail.domain.invariants import Breach
from galaxy_mail.domain.leases import Absence, Claim, ClaimRequest, Held, Sign
from galaxy_mail.domain.mail import Mail, NewDelivery
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.records import DeliveryQuery, DeliveryRecord, DeliverySummary
from galaxy_mail.domain.settlement import Settlement
from galaxy_mail.domain.shape import Shape
from galaxy_mail.domain.worker_ports import Bell
from tests.simulation.database import Database
from tests.simulation.loop import NATURE, Process, VirtualLoop
from tests.simulation.outages import OutagesLine
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Fate, Trip, Weather

T = TypeVar("T")

ANSWER = "an answer of the store"  # the most frequent of all milestones
LONG = 1.0  # seconds of a round trip for which nobody is to blame who loses a lease by it


class StoreLine:
    """A Store: that of the database, over a line."""

    def __init__(
        self,
        database: Database,
        process: Process,
        weather: Weather,
        loop: VirtualLoop,
        timeline: Timeline,
        dice: Random,
    ) -> None:
        self._database = database
        self._store = database.store
        self._process = process
        self._weather = weather
        self._loop = loop
        self._timeline = timeline
        self._dice = dice
        self.cut = False  # for good: whatever is asked fails at once
        self._bells: list[MemoryBell] = []

    # --- producers: in the caller's own time, since a transaction may wait for another ---------------------------------

    async def enqueue(self, delivery: NewDelivery, within: MemoryTransaction | None = None) -> UUID:
        """See ``Outbox.enqueue``."""
        return await self._produce("enqueue", lambda: self._store.enqueue(delivery, within))

    async def enqueue_many(
        self, deliveries: Sequence[NewDelivery], within: MemoryTransaction | None = None
    ) -> tuple[UUID, ...]:
        """See ``Outbox.enqueue_many``."""
        return await self._produce("enqueue_many", lambda: self._store.enqueue_many(deliveries, within))

    def transaction(self) -> AbstractAsyncContextManager[MemoryTransaction]:
        """See ``Store.transaction``."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[MemoryTransaction]:
        trip = self._trip("commit")
        async with self._store.transaction() as transaction:
            yield transaction
            await self._loop.pause(trip.there)
            self._fail_if(trip, Fate.REFUSED, "commit")
        self._database.watch(self._process.name, "commit")
        await self._loop.pause(trip.back)
        self._fail_if(trip, Fate.MUTE, "commit")

    async def _produce(self, doing: str, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        trip = self._trip(doing)
        await self._loop.pause(trip.there)
        self._fail_if(trip, Fate.REFUSED, doing)
        result = await call()
        self._database.watch(self._process.name, doing)
        await self._loop.pause(trip.back)
        self._fail_if(trip, Fate.MUTE, doing)
        return result

    # --- workers -----------------------------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """See ``Queue.claim``."""
        return await self._ask("claim", lambda: self._claim(request))

    def _claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        claims = self._do("claim", self._store.claim(request))
        self._database.note_claims(claims)
        if claims:
            self._timeline.note(self._process.name, "is given {}", [each.held.delivery_id for each in claims])
            self._process.reaches("given")
        return claims

    async def urgent_due(self) -> bool:
        """See ``Queue.urgent_due``."""
        return await self._ask("urgent_due", lambda: self._do("look", self._store.urgent_due()))

    async def renew(
        self, claims: Sequence[Held], lease: timedelta, sign: Sign | None = None
    ) -> frozenset[UUID]:
        """See ``Queue.renew``."""
        return await self._ask("renew", lambda: self._renew(claims, lease, sign))

    def _renew(self, claims: Sequence[Held], lease: timedelta, sign: Sign | None) -> frozenset[UUID]:
        lost = self._do("renew", self._store.renew(claims, lease, sign))
        self._database.note_renewal(self._process.name, claims, lost)
        return lost

    async def end_leases_of_the_gone(self, missed: frozenset[Sign]) -> Absence:
        """See ``Queue.end_leases_of_the_gone``."""
        return await self._ask("look", lambda: self._look(missed))

    def _look(self, missed: frozenset[Sign]) -> Absence:
        absence = self._do("look", self._store.end_leases_of_the_gone(missed))
        if absence.ended:
            self._timeline.note(self._process.name, "ends {} leases of who is gone", absence.ended)
        return absence

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[UUID]:
        """See ``Queue.settle``."""
        self._process.reaches("to settle")
        return await self._ask("settle", lambda: self._settle(settlements))

    def _settle(self, settlements: Sequence[Settlement]) -> frozenset[UUID]:
        holders = self._database.holders(settlements)
        lost = self._do("settle", self._store.settle(settlements))
        self._database.note_settlement(self._process.name, settlements, lost, holders)
        settled = [each.held.delivery_id for each in settlements]
        self._timeline.note(self._process.name, "settles {}, of which lost: {}", settled, lost)
        self._process.reaches("settled")
        return lost

    async def release(self, claims: Sequence[Held]) -> frozenset[UUID]:
        """See ``Queue.release``."""
        return await self._ask("release", lambda: self._release(claims))

    def _release(self, claims: Sequence[Held]) -> frozenset[UUID]:
        lost = self._do("release", self._store.release(claims))
        self._database.note_release(self._process.name, claims, lost)
        return lost

    async def take_notices(self, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        """See ``Queue.take_notices``."""
        return await self._ask(
            "take_notices", lambda: self._do("take_notices", self._store.take_notices(limit, hold))
        )

    async def mark_told(self, notices: Sequence[Notice]) -> None:
        """See ``Queue.mark_told``."""
        await self._ask("mark_told", lambda: self._do("mark_told", self._store.mark_told(notices)))

    def outages(self) -> OutagesLine:
        """See ``Queue.outages``."""
        return OutagesLine(self._store.outages(), self)

    def bell(self) -> Bell:
        """See ``Queue.bell``."""
        self._bells.append(bell := self._store.bell())
        return bell

    def break_sessions(self) -> None:
        """The store sees that whoever held them is gone."""
        for bell in self._bells:
            if bell.sign is not None:
                self._store.signs.drop(bell.sign)

    # --- operators ---------------------------------------------------------------------------------------------------

    async def stats(self) -> Mapping[DeliveryStatus, int]:
        """See ``Operations.stats``."""
        return await self._ask("stats", lambda: self._do("stats", self._store.stats()))

    async def find(self, delivery_id: UUID) -> DeliveryRecord | None:
        """See ``Operations.find``."""
        return await self._ask("find", lambda: self._do("find", self._store.find(delivery_id)))

    async def search(self, query: DeliveryQuery) -> tuple[DeliverySummary, ...]:
        """See ``Operations.search``."""
        return await self._ask("search", lambda: self._do("search", self._store.search(query)))

    async def resend(self, delivery_id: UUID, by: str) -> None:
        """See ``Operations.resend``."""
        await self._ask("resend", lambda: self._do("resend", self._store.resend(delivery_id, by)))

    async def purge(self, ended_before: timedelta, limit: int) -> int:
        """See ``Operations.purge``."""
        return await self._ask("purge", lambda: self._do("purge", self._store.purge(ended_before, limit)))

    async def audit(self, limit: int) -> tuple[Breach, ...]:
        """See ``Operations.audit``."""
        return await self._ask("audit", lambda: self._do("audit", self._store.audit(limit)))

    async def shape(self, domains: int, most: int) -> Shape:
        """See ``Operations.shape``."""
        return await self._ask("shape", lambda: self._do("shape", self._store.shape(domains, most)))

    async def load_mail(self, delivery_id: UUID) -> Mail:
        """See ``Operations.load_mail``."""
        return await self._ask("load_mail", lambda: self._do("load_mail", self._store.load_mail(delivery_id)))

    # --- the line ----------------------------------------------------------------------------------------------------

    async def ask(self, doing: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Ask for one thing that the database does at once and whole."""
        return await self._ask(doing, lambda: self._do(doing, work()))

    async def _ask(self, doing: str, call: Callable[[], T]) -> T:
        """Send a statement and wait for the answer. What was sent is carried out, whatever becomes of the asker."""
        trip = self._trip(doing)
        answer: asyncio.Future[T] = self._loop.create_future()
        self._loop.call_later(trip.there, self._arrive, doing, trip, call, answer, context=NATURE)
        return await answer

    def _arrive(self, doing: str, trip: Trip, call: Callable[[], T], answer: asyncio.Future[T]) -> None:
        outcome: T | GalaxyMailError
        try:
            self._fail_if(trip, Fate.REFUSED, doing)
            outcome = call()
            self._fail_if(trip, Fate.MUTE, doing)
        except GalaxyMailError as error:
            outcome = error
        self._loop.call_later(trip.back, self._reply, answer, outcome, context=NATURE)

    def _do(self, doing: str, work: Coroutine[Any, Any, T]) -> T:
        return self._database.carry_out(self._process.name, doing, work)

    def _trip(self, doing: str) -> Trip:
        trip = Trip(0.0, 0.0, Fate.REFUSED) if self.cut else self._weather.trip(self._dice, self._loop.time())
        if trip.fate is not Fate.DONE or trip.there + trip.back > LONG:
            self._process.excuse()
            self._timeline.note(
                self._process.name,
                "asks to {}: {} in {} s",
                doing,
                trip.fate.name,
                round(trip.there + trip.back, 3),
            )
        return trip

    def _fail_if(self, trip: Trip, fate: Fate, doing: str) -> None:
        if trip.fate is fate:
            raise StoreUnavailable(doing, "08006", fate.name.lower())

    def _reply(self, answer: asyncio.Future[T], outcome: T | GalaxyMailError) -> None:
        if answer.done():
            return
        if isinstance(outcome, GalaxyMailError):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
        self._process.reaches(ANSWER)
