"""Faults drawn at random from the tables of faults: one hand strikes single mails, another makes the weather."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from random import Random

from galaxy_mail.adapters.clock.system import SystemClock
from galaxy_mail.testing.smtp_rules import Moment, greylist
from tests.faults.blows import BLOWS
from tests.faults.producers import CODE
from tests.faults.relay_faults import RELAY_FAULTS, repeats
from tests.faults.stages import STAGES
from tests.faults.weather import DATABASE_WEATHER, RELAY_WEATHER
from tests.faults.world import World

LONGEST = 2.5  # seconds that a weather lasts
PATIENCE = 20.0  # seconds for a mail to come by, and for what befalls it


class Strikes:
    """Strikes ``world`` until ``over``; whatever has begun is ended first."""

    def __init__(self, world: World, dice: Random) -> None:
        self.over = asyncio.Event()
        self.done: list[str] = []
        self._world = world
        self._dice = dice
        self._clock = SystemClock()

    async def strike_mails(self) -> None:
        """One blow at one stage after the other."""
        while not self.over.is_set():
            stage, blow = self._dice.choice(list(STAGES)), self._dice.choice(list(BLOWS))
            await self._strike(stage, blow)
            await self._clock.sleep(self._dice.uniform(0, 0.5))

    async def make_weather(self) -> None:
        """One weather after the other, with fair times between."""
        while not self.over.is_set():
            name, weather = self._draw()
            self.done.append(name)
            async with weather:
                await self._clock.sleep(self._dice.uniform(0.05, LONGEST))
            await self._clock.sleep(self._dice.uniform(0, 3))

    async def _strike(self, stage: str, blow: str) -> None:
        try:
            async with (
                asyncio.timeout(PATIENCE),
                AsyncExitStack() as afterwards,
                STAGES[stage](self._world) as held,
            ):
                await afterwards.enter_async_context(BLOWS[blow](self._world, held))
            self.done.append(f"{blow} {stage}")
        except (
            TimeoutError,
            LookupError,
            ValueError,
        ):  # no mail came by, or its claim was lost before we could strike
            self.done.append("a miss")

    def _draw(self) -> tuple[str, AbstractAsyncContextManager[None]]:
        table = self._dice.choice(["relay", "relay", "relay weather", "database weather"])
        if table == "relay":
            return self._failing_relay()
        weathers = RELAY_WEATHER if table == "relay weather" else DATABASE_WEATHER
        name = self._dice.choice(list(weathers))
        return name, weathers[name](self._world)

    def _failing_relay(self) -> tuple[str, AbstractAsyncContextManager[None]]:
        share = self._dice.choice([0.02, 0.2, 1.0])
        fault = self._dice.choice(RELAY_FAULTS)

        @asynccontextmanager
        async def weather() -> AsyncIterator[None]:
            end = fault.add(self._world, lambda _: self._dice.random() < share)
            extra = [greylist(), *(repeats(moment, 451, code_of) for moment in (Moment.RCPT, Moment.DOT))]
            self._world.relay.rules += extra
            try:
                yield
            finally:
                end()
                for rule in extra:
                    self._world.relay.rules.remove(rule)
                self._world.relay.release()
                self._world.relay.hang_again()

        return f"{fault}, {share:.0%}", weather()


def code_of(recipient: str) -> str:
    """The code in the mail for this recipient; empty if there is none."""
    name, _, _ = recipient.partition("@")
    return CODE.format(int(name.removeprefix("code-"))) if name.startswith("code-") else ""
