"""One run of chaos: from the first order to the last invariant."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from random import Random

import attrs

from galaxy_mail.adapters.clock.system import SystemClock
from tests.faults.database import SCHEMA
from tests.faults.producers import Producers
from tests.faults.strikes import Strikes
from tests.faults.world import World

PRODUCERS = 4
CROWD_PER_MINUTE = 500
LARGEST_CROWD = 10_000
DRAIN_SECONDS = 240.0
HELD = timedelta(seconds=25)  # for how long a fault may hold up a body
ALIVE = f"select count(*) from {SCHEMA}.mail_deliveries where status in ('pending', 'retrying')"
SHOWN = 20  # problems of which each is told


@attrs.frozen
class Outcome:
    """The figures of a run, and a line for each thing that must not be."""

    figures: dict[str, int]
    problems: tuple[str, ...]
    faults: tuple[str, ...]  # that were made, in their order


class Chaos:
    """A run on ``world``; the same seed draws the same faults, though not at the same mails."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._producers = Producers(world, Random(seed), per_second=25, most=2_000)
        self._strikes = Strikes(world, Random(seed + 1))
        self._clock = SystemClock()

    async def run(self, seconds: float) -> Outcome:
        """Make chaos for so long, heal, drain and compare."""
        producers, strikes = self._producers, self._strikes
        async with asyncio.TaskGroup() as group:
            for task in (*(producers.produce() for _ in range(PRODUCERS)), producers.operate()):
                group.create_task(task)
            for task in (strikes.strike_mails(), strikes.make_weather()):
                group.create_task(task)
            await self._clock.sleep(seconds / 2)
            await producers.crowd(min(LARGEST_CROWD, int(CROWD_PER_MINUTE * seconds / 60)))
            await self._clock.sleep(seconds / 2)
            strikes.over.set()
            producers.over.set()
        await self._world.heal()
        await self._drain()
        await self._world.crew.close()
        return await self._compare()

    async def _drain(self) -> None:
        """Return when all has ended, or has had time enough."""
        end = self._clock.monotonic() + DRAIN_SECONDS
        while await self._world.admin.ask(ALIVE) and self._clock.monotonic() < end:
            await self._clock.sleep(0.2)

    async def _compare(self) -> Outcome:
        world = self._world
        session = await world.admin.session()
        await session.copy_records_to_table("orders", schema_name="faults", records=self._producers.orders)
        session.terminate()
        findings = await world.findings(HELD)
        tally = world.tally + Counter(kills=world.crew.deaths)
        done = ("kills", "stops", "terminations", "database_crashes")
        found = ("lost", "extra_copies", "ambiguous", "unexplained", "open_attempts", "leased_when_idle")
        figures = {"rows": findings.rows} | {name: tally[name] for name in done}
        figures |= {name: getattr(findings, name) for name in found}
        problems = [*findings.broken, *world.crew.ends, *world.secrets_told()]
        return Outcome(figures, tuple(problems[:SHOWN]), tuple(self._strikes.done))
