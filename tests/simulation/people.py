"""Who lives around the workers: a shop that orders mails, operators at their desk, and an administrator's pager."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from galaxy_mail.adapters.memory import MemoryTransaction
from galaxy_mail.app import MailService
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import ResendRefused, StoreUnavailable
from galaxy_mail.domain.notices import AnyNotice, OutageNotice
from galaxy_mail.domain.orders import Letter, OnUncertain
from galaxy_mail.domain.ports import Clock
from tests.simulation.loop import VirtualLoop
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Weather

ADA, BOB, CYD, NOBODY = "ada@example.org", "bob@example.org", "cyd@example.net", "nobody@example.org"


class Regret(Exception):
    """The shop's own reason to roll back."""


class Shop:
    """Orders mails; remembers which it was promised, and which it took back."""

    def __init__(
        self, service: MailService[MemoryTransaction], clock: Clock, dice: Random, timeline: Timeline
    ) -> None:
        self.promised: set[UUID] = set()
        self.taken_back: set[UUID] = set()
        self._service = service
        self._clock = clock
        self._dice = dice
        self._timeline = timeline
        self._orders = 0

    async def order(self) -> None:
        """Order something; where the store fails, try again under the same key."""
        self._orders += 1
        place = self._dice.choice(
            (self._login_code, self._login_code, self._note, self._letters, self._within)
        )
        key = f"order-{self._orders}"
        for _ in range(3):
            try:
                ids = await place(key)
            except StoreUnavailable:
                await self._clock.sleep(self._dice.choice((0.1, 3.0)))
            except Regret:
                return
            else:
                self.promised.update(ids)
                self._timeline.note("shop", "is promised {}", ids)
                return

    async def _login_code(self, key: str) -> tuple[UUID, ...]:
        ttl = timedelta(seconds=self._dice.choice((1, 3, 8, 60)))
        return (await self._service.enqueue_login_code(ADA, code="4711", ttl=ttl, idempotency_key=key),)

    async def _note(self, key: str, within: MemoryTransaction | None = None) -> tuple[UUID, ...]:
        dice = Random(key)  # the same each time that it is tried
        to = dice.choice(([ADA], [ADA, BOB], [ADA, BOB, NOBODY], [NOBODY]))
        send_at = self._clock.now() + timedelta(seconds=5) if dice.random() < 0.2 else None
        on_uncertain: OnUncertain = "hold" if Random(f"{key}/hold").random() < 0.3 else "retry"
        return (
            await self._service.enqueue_template(
                "note",
                to=to,
                bcc=dice.choice(([], [CYD])),
                within=within,
                idempotency_key=key,
                send_at=send_at,
                on_uncertain=on_uncertain,
            ),
        )

    async def _letters(self, key: str) -> tuple[UUID, ...]:
        letters = [Letter(to=[person], idempotency_key=f"{key}/{person}") for person in (ADA, BOB)]
        return await self._service.enqueue_bulk("note", letters)

    async def _within(self, key: str) -> tuple[UUID, ...]:
        async with self._service.transaction() as transaction:
            ids = await self._note(key, transaction)
            await self._clock.sleep(self._dice.choice((0.0, 0.05, 8.0)))
            if (
                Random(f"{key}/regret").random() < 0.4
            ):  # the same each time: an earlier try may have been committed
                self.taken_back.update(ids)
                self._timeline.note("shop", "rolls back {}", ids)
                raise Regret
        return ids


class Operator:
    """An operator who resends dead letters and copies what has ended."""

    def __init__(
        self, name: str, service: MailService[MemoryTransaction], dice: Random, timeline: Timeline
    ) -> None:
        self._name = name
        self._service = service
        self._dice = dice
        self._timeline = timeline

    async def resend(self) -> None:
        """Put some dead letter back into the queue."""
        await self._act(DeliveryStatus.DEAD_LETTERED, self._resend)

    async def copy(self) -> None:
        """Send some mail once more."""
        await self._act(DeliveryStatus.SENT, self._copy)

    async def _act(self, status: DeliveryStatus, act: Callable[[UUID], Awaitable[None]]) -> None:
        with contextlib.suppress(StoreUnavailable):
            found = list(await self._service.search(status=status))
            self._dice.shuffle(found)
            for summary in found:
                with contextlib.suppress(ResendRefused):
                    await act(summary.delivery_id)
                    return

    async def _resend(self, delivery_id: UUID) -> None:
        self._timeline.note(self._name, "resends {}", delivery_id)
        await self._service.resend(delivery_id, by=self._name)

    async def _copy(self, delivery_id: UUID) -> None:
        copy = await self._service.copy(delivery_id)
        self._timeline.note(self._name, "has copied {} as {}", delivery_id, copy)


class Pager:
    """An AdminNotifier that fails and hangs, and the administrator's memory of what it told."""

    def __init__(self, loop: VirtualLoop, dice: Random, weather: Weather, timeline: Timeline) -> None:
        self.told: set[tuple[UUID, datetime]] = set()
        self.told_of_outages: set[tuple[UUID, datetime | None]] = set()
        self._loop = loop
        self._dice = dice
        self._weather = weather
        self._timeline = timeline

    async def notify(self, notice: AnyNotice) -> None:
        """See ``AdminNotifier.notify``."""
        luck = 1.0 if self._loop.time() >= self._weather.calm_at else self._dice.random()
        if luck < self._weather.pager_fails / 2:
            raise OSError("the pager is dead")
        if luck < self._weather.pager_fails:
            await self._loop.pause(1_000.0)
        await self._loop.pause(0.01)
        if isinstance(notice, OutageNotice):
            self.told_of_outages.add((notice.outage_id, notice.closed_at))
        else:
            self.told.add((notice.delivery_id, notice.ended_at))
        self._timeline.note("pager", "{}", notice.headline)
