"""One world: made from a seed, lived through in virtual time, and audited at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from math import inf
from random import Random

from galaxy_mail.adapters.entropy.seeded import SeededEntropy
from tests.simulation.books import Books
from tests.simulation.clocks import SimulatedClock
from tests.simulation.crew import Crew
from tests.simulation.database import Database
from tests.simulation.loop import Process, Stuck, VirtualLoop
from tests.simulation.people import Operator, Pager, Shop
from tests.simulation.relay import Relay, SimulatedSender
from tests.simulation.staff import Desk, Hand, composer, drawn_config
from tests.simulation.store import StoreLine
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Weather

PATIENCE = 900.0  # seconds of fine weather in which everything comes to its end

Act = Callable[[], object]


class World:
    """Everything there is, made from ``seed`` alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.loop = VirtualLoop()
        self.timeline = Timeline(self.loop)
        self._dice = self._luck("fate")
        self.weather = Weather.drawn(self._dice)
        self.config = drawn_config(self._dice)
        self.database = Database(self.loop, self.timeline)
        self.relay = Relay(self.loop, self.weather, self.timeline, self.database.note_body)
        self.pager = Pager(self.loop, self._luck("pager"), self.weather, self.timeline)
        weather, blows = self.weather, self._luck("blows")
        self.crew = Crew(self.loop, self.timeline, self._hire, blows, weather.calm_at, weather.ambushes)
        self.rested_at = inf
        self._edition = 1
        self._desks: list[Desk] = []
        self._orders: list[asyncio.Task[None]] = []
        self._shop_desk = self._desk("shop")
        self.shop = Shop(
            self._shop_desk.service(), self._shop_desk.clock, self._luck("shop/mind"), self.timeline
        )

    def run(self) -> Books:
        """Live it, and close the books."""
        try:
            self.loop.run_until_complete(self._live())
        except Stuck as stuck:
            self.crew.troubles.append(str(stuck))
        try:
            return self._books()
        finally:
            self.loop.have_patience()
            self.loop.run_until_complete(self._bury())
            self.loop.close()

    # --- who is there ------------------------------------------------------------------------------------------------

    def _luck(self, whose: str) -> Random:
        """A stream of dice of one's own, so that nobody's luck hangs on the order in which others throw."""
        return Random(f"{self.seed}/{whose}")

    def _desk(self, name: str) -> Desk:
        process, luck = Process(name, self.loop), self._luck(name)
        clock = SimulatedClock(self.loop, luck.uniform(0.0, 1e6), timedelta(seconds=luck.gauss(0.0, 2.0)))
        line = StoreLine(self.database, process, self.weather, self.loop, self.timeline, luck)
        entropy = SeededEntropy(luck.getrandbits(64))
        desk = Desk(process, line, clock, entropy, composer(self._edition, self.config), self.config)
        self._desks.append(desk)
        return desk

    def _hire(self, number: int, until_empty: bool) -> Hand:
        desk = self._desk(f"worker-{number}")
        sender = SimulatedSender(self.relay, desk.process, self._luck(f"{desk.process.name}/relay"))
        worker = desk.worker(sender, self.pager, self.timeline)
        task = desk.process.spawn(worker.run_until_empty() if until_empty else worker.run())
        return Hand(desk, task, self._luck(f"{desk.process.name}/ambush"))

    # --- the course of things ----------------------------------------------------------------------------------------

    async def _live(self) -> None:
        for _ in range(self._dice.choice((1, 2, 2, 3))):
            self.crew.hire()
        for at, act in sorted(self._fate(), key=lambda each: each[0]):
            await self.loop.pause(at - self.loop.time())
            act()
        await self.loop.pause(self.weather.calm_at - self.loop.time())
        self.timeline.note("weather", "is fine from now on")
        await self._come_to_rest()
        self.rested_at = self.loop.time()
        await self.crew.say_goodbye()

    def _fate(self) -> list[tuple[float, Act]]:
        """What is going to happen, and when."""
        dice, until, crew = self._dice, self.weather.calm_at, self.crew
        orders = [(dice.uniform(0.0, until * 0.6), self._order) for _ in range(dice.choice((2, 4, 8)))]
        blows = [
            (dice.uniform(0.0, until), partial(crew.hit, blow))
            for blow in (crew.kill, crew.freeze, crew.stop, crew.jump)
            for _ in range(dice.choice((0, 0, 1, 2)))
        ]
        visits = [
            (dice.uniform(until / 2, until), partial(self._visit, f"operator-{n}"))
            for n in range(dice.choice((0, 0, 3, 5)))
        ]
        deploys = [(dice.uniform(0.0, until), self._deploy)] if dice.random() < 0.3 else []
        return [*orders, *blows, *visits, *deploys]

    def _order(self) -> None:
        self._orders.append(self._shop_desk.process.spawn(self.shop.order()))

    def _visit(self, name: str) -> None:
        desk = self._desk(name)
        operator = Operator(name, desk.service(), self._luck(f"{name}/mind"), self.timeline)
        visit = operator.resend() if self._dice.random() < 0.8 else operator.copy()
        self._orders.append(desk.process.spawn(visit))

    def _deploy(self) -> None:
        self._edition += 1
        self.timeline.note("templates", "come in edition {} to whoever starts from now on", self._edition)

    async def _come_to_rest(self) -> None:
        for hand in self.crew.hands:
            self.crew.thaw(hand)
        await asyncio.gather(*self._orders)
        if self._dice.random() < 0.3:
            await self.crew.say_goodbye()
            await self._within(self.crew.hire(until_empty=True).task, "the mails do not come to an end")
        if all(hand.asked for hand in self.crew.working):
            self.crew.hire()
        await self._within(self._rest(), "the store does not come to rest")

    async def _rest(self) -> None:
        while not self.database.at_rest:
            await self.loop.pause(1.0)

    async def _within(self, work: Awaitable[object], trouble: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await work
        except TimeoutError:
            self.crew.troubles.append(trouble)

    # --- the end -----------------------------------------------------------------------------------------------------

    async def _bury(self) -> None:
        """Bring every coroutine to its end, when nobody looks any more; without it Python complains."""
        self.timeline.close()
        for desk in self._desks:
            desk.line.cut = True
            desk.process.bury()
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=PATIENCE)

    def _books(self) -> Books:
        return Books(
            config=self.config,
            rows=self.database.rows,
            changes=self.database.changes,
            closed=frozenset(self.database.closed),
            copies=self.relay.ledger.copies,
            usurpers=tuple(self.database.usurpers),
            bodies=self.database.bodies,
            promised=frozenset(self.shop.promised),
            taken_back=frozenset(self.shop.taken_back),
            told=frozenset(self.pager.told),
            outages=tuple(self.database.store.outages().rows),
            told_of_outages=frozenset(self.pager.told_of_outages),
            calm_at=self.weather.calm_at,
            rested_at=self.rested_at,
            excuses={desk.process.name: desk.process.excuses for desk in self._desks},
            deaf=tuple(self.crew.deaf),
            troubles=tuple(self.crew.troubles),
        )
