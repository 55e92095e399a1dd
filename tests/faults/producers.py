"""Who orders mails in the random part: alone and in transactions, kept and rolled back, certain and uncertain of the outcome."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from uuid import UUID

import asyncpg

from galaxy_mail.adapters.clock.system import SystemClock
from galaxy_mail.adapters.postgres.pools import PostgresTransaction
from galaxy_mail.domain.errors import ResendRefused, StoreUnavailable
from galaxy_mail.domain.orders import Letter, OnUncertain
from tests.faults.database import SCHEMA
from tests.faults.world import World

BACKLOG = f"select count(*) from {SCHEMA}.mail_deliveries where status in ('pending', 'retrying')"
DEAD = f"""
select delivery_id from {SCHEMA}.mail_deliveries
 where status = 'dead_lettered' and template = 'letter' and dead_letter_reason in ('refused', 'exhausted')
 order by random() limit 3
"""
SPOIL = f"update {SCHEMA}.mail_payloads set context = '[1]' where delivery_id = $1"
CODE = "SECRET{:07d}"


# What a producer's own statement may raise.
UNAVAILABLE = (
    StoreUnavailable,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)


Order = tuple[str, UUID | None, str]


class RolledBack(Exception):
    """What a producer's own code raises within its transaction."""


class Producers:
    """Order mails until ``over``: each task that runs ``produce`` on average ``per_second`` times.

    ``orders`` holds what they were told: the key, the id if they know it, and ``committed``, ``rolled_back`` or ``unknown``.
    """

    def __init__(self, world: World, dice: Random, *, per_second: float, most: int) -> None:
        self.orders: list[Order] = []
        self.over = asyncio.Event()
        self._world = world
        self._service = world.mail.service
        self._dice = dice
        self._pause = 1 / per_second
        self._most = most  # mails that may wait
        self._numbers = itertools.count()
        self._clock = SystemClock()

    async def produce(self) -> None:
        """Order one thing after the other."""
        kinds: dict[Callable[[str], Awaitable[None]], float] = {
            self._letter: 60,
            self._code: 20,
            self._not_twice: 10,
            self._kept_together: 10,
            self._rolled_back: 10,
            self._held: 1,
            self._spoilt: 0.5,
            self._broken: 0.5,
            self._poison: 0.05,
        }
        while not self.over.is_set():
            await self._hold_back()
            (kind,) = self._dice.choices(list(kinds), weights=list(kinds.values()))
            await kind(f"{next(self._numbers):07d}")
            await self._clock.sleep(self._dice.expovariate(1 / self._pause))

    async def crowd(self, number: int) -> None:
        """So many mails, due at once."""
        keys = [f"{next(self._numbers):07d}" for _ in range(number)]
        letters = [
            Letter(to=f"to-{key}@example.org", context={"name": key}, idempotency_key=key) for key in keys
        ]
        try:
            ids = await self._service.enqueue_bulk("letter", letters)
            self.orders += [(key, one, "committed") for key, one in zip(keys, ids, strict=True)]
        except StoreUnavailable:
            self.orders += [(key, None, "unknown") for key in keys]

    async def operate(self) -> None:
        """Two operators look for dead letters, and resend the same ones at the same time."""
        while not self.over.is_set():
            dead = await self._world.admin.rows(DEAD)
            resends = (self._service.resend(row[0], by=name) for row in dead for name in ("ada", "bob"))
            for told in await asyncio.gather(*resends, return_exceptions=True):
                if told is not None and not isinstance(told, ResendRefused | StoreUnavailable):
                    raise told
            await self._clock.sleep(self._dice.uniform(0.5, 2))

    # --- what they order ----------------------------------------------------------------------------------------------

    async def _letter(self, key: str) -> None:
        others = [f"cc{number}-{key}@example.org" for number in range(self._dice.choice([0, 0, 0, 1, 3]))]
        await self._certainly(key, lambda: self._enqueue(key, cc=others, bcc=[f"bcc-{key}@example.org"]))

    async def _code(self, key: str) -> None:
        ttl = timedelta(seconds=self._dice.choice([2, 5, 30, 300]))
        await self._certainly(
            key,
            lambda: self._service.enqueue_login_code(
                f"code-{key}@example.org", code=CODE.format(int(key)), ttl=ttl, idempotency_key=key
            ),
        )

    async def _not_twice(self, key: str) -> None:
        await self._certainly(key, lambda: self._enqueue(key, on_uncertain="hold"))

    async def _broken(self, key: str) -> None:
        await self._certainly(key, lambda: self._enqueue(key, template="broken"))

    async def _poison(self, key: str) -> None:
        await self._certainly(key, lambda: self._enqueue(key, template="poison"))

    async def _kept_together(self, key: str) -> None:
        await self._together([f"{key}-{part}" for part in "abc"])

    async def _held(self, key: str) -> None:
        await self._together([key], pause=self._dice.uniform(0.5, 3))

    async def _spoilt(self, key: str) -> None:
        await self._together([key], spoil=True)

    async def _rolled_back(self, key: str) -> None:
        await self._together([f"{key}-{part}" for part in "ab"], then=RolledBack())

    async def _hold_back(self) -> None:
        """Wait while too many mails wait; it is asked now and then."""
        if self._dice.random() < 0.01:
            while await self._world.admin.ask(BACKLOG) > self._most and not self.over.is_set():
                await self._clock.sleep(0.5)

    # --- how ----------------------------------------------------------------------------------------------------------

    async def _certainly(self, key: str, enqueue: Callable[[], Awaitable[UUID]]) -> None:
        """Whose outcome is unknown is ordered again by the same key, or left in the dark."""
        while True:
            try:
                self.orders.append((key, await enqueue(), "committed"))
                return
            except StoreUnavailable:
                if self._dice.random() < 0.3 or self.over.is_set():
                    self.orders.append((key, None, "unknown"))
                    return
                await self._clock.sleep(self._pause)

    async def _together(
        self, keys: list[str], *, pause: float = 0, spoil: bool = False, then: Exception | None = None
    ) -> None:
        """Several mails in one transaction, which is held for a while, kept or rolled back."""
        done = False
        fates: list[Order]
        try:
            async with self._service.transaction() as tx:
                ids = [await self._enqueue(key, within=tx) for key in keys]
                if spoil:
                    await tx.execute(SPOIL, ids[0])
                await self._clock.sleep(pause)
                if then is not None:
                    raise then
                done = True
            fates = [(key, one, "committed") for key, one in zip(keys, ids, strict=True)]
        except (RolledBack, *UNAVAILABLE):
            fates = [(key, None, "unknown" if done else "rolled_back") for key in keys]
        self.orders += fates

    async def _enqueue(
        self,
        key: str,
        template: str = "letter",
        cc: list[str] | None = None,
        bcc: list[str] | None = None,
        within: PostgresTransaction | None = None,
        on_uncertain: OnUncertain = "retry",
    ) -> UUID:
        return await self._service.enqueue_template(
            template,
            to=f"to-{key}@example.org",
            cc=cc or (),
            bcc=bcc or (),
            context={"name": key},
            idempotency_key=key,
            within=within,
            on_uncertain=on_uncertain,
        )
