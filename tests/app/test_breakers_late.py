"""Outages, and transactions that take their time: what ends late, what hangs, and what began before."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from dependency_injector import providers

from galaxy_mail.adapters.entropy.seeded import SeededEntropy
from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.adapters.memory.instants import StoreTime
from galaxy_mail.adapters.memory.outages import MemoryOutages
from galaxy_mail.app.breakers import Breakers
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.leases import Claim, ClaimRequest
from galaxy_mail.domain.outages import LASTS, RELAY, BreakerPolicy, Outage
from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Envelope, Receipt, SmtpReply, Stage
from galaxy_mail.domain.worker_ports import Outages
from tests.app.conftest import House
from tests.app.test_breakers import DOWN, WRONG_PASSWORD, Relay, live, order, working

HOLD = BreakerPolicy().probe_hold.total_seconds()


class LateRelay(Relay):
    """One that takes ``takes`` seconds for each mail, and says nothing to whoever is at ``hangs`` until it is let go."""

    def __init__(self, house: House) -> None:
        super().__init__(DOWN)
        self.takes = 0.0
        self.begun = 0
        self.hangs = asyncio.Event()
        self._clock = house.clock

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """As the script says, but the answer comes late."""
        self.begun += 1
        takes = self.takes
        if envelope.recipients[0].domain == "hangs.example":
            await self.hangs.wait()
        receipt = await super().send(envelope, message, gate)
        await self._clock.sleep(takes)
        return receipt


def breakers_of(house: House, outages: Outages) -> Breakers:
    """Those of a worker that does nothing by itself."""
    return Breakers(
        outages=outages,
        clock=house.clock,
        entropy=SeededEntropy(1),
        config=RuntimeConfig(),
        logger=house.container.logger(),
    )


class LateOutages(MemoryOutages):
    """They are read at once, and the answer comes when it is let go."""

    def __init__(self, house: House) -> None:
        super().__init__(StoreTime(house.clock))
        self.answers = asyncio.Event()

    async def open(self) -> tuple[Outage, ...]:
        """See ``Outages.open``."""
        found = await super().open()
        await self.answers.wait()
        return found


async def test_what_was_read_before_a_report_undoes_nothing(house: House) -> None:
    """An outage that was found meanwhile, and told, is not over because an older answer does not know it."""
    outages = LateOutages(house)
    breakers = breakers_of(house, outages)
    learning = asyncio.create_task(breakers.room(5))
    await asyncio.sleep(0)
    broken = Receipt((classify(*WRONG_PASSWORD),))
    breakers.saw(broken, EmailAddress("no-reply", "example.org"), house.clock.monotonic())
    telling = asyncio.create_task(breakers.report())
    for _ in range(5):
        await asyncio.sleep(0)
    outages.answers.set()
    assert await learning == 0
    await telling
    assert await breakers.room(5) == 0
    (outage,) = await outages.open()
    assert outage.scope == RELAY


def test_a_round_that_is_too_wide_halves_the_width_once(house: House) -> None:
    """Whatever was under way together meets the same limit: it is one wish to be slower, and not one for each mail."""
    breakers = breakers_of(house, house.store.outages())
    sender, most = EmailAddress("no-reply", "example.org"), RuntimeConfig().deliveries_at_once
    slower = Receipt((classify(Stage.DOT, SmtpReply(450, "4.7.28 too fast")),))
    began = house.clock.monotonic()
    house.clock.advance(1)
    for _ in range(most):
        breakers.saw(slower, sender, began)
    assert breakers.width == most // 2
    breakers.saw(slower, sender, house.clock.monotonic())
    assert breakers.width == most // 4


async def test_a_slow_relay_is_back_too(house: House) -> None:
    """It takes longer for a mail than a probe is held; its success ends the outage all the same."""
    relay = LateRelay(house)
    async with working(house, relay):
        await order(house, 8)
        await live(house, 3)
        relay.says, relay.takes = None, HOLD + 2
        await live(house, 60)
        assert await house.store.outages().open() == ()


async def test_a_relay_that_swallows_is_asked_less_and_less_often(house: House) -> None:
    """Its silence is noticed only after the probe's hold; the cool-down grows all the same."""
    relay = LateRelay(house)
    async with working(house, relay, 2):
        relay.takes = HOLD + 5
        await order(house, 60)
        await live(house, 20, 2)
        asked = relay.asked
        await live(house, 1800, 2)
        assert relay.asked - asked < 30


async def test_what_hangs_from_before_keeps_nobody_from_the_probe(house: House) -> None:
    """It may hang for the ten minutes after the dot; the relay is tried meanwhile, and used when it is back."""
    relay = LateRelay(house)
    async with working(house, relay):
        await order(house, 3, "hangs.example")
        await order(house, 10)
        await live(house, 3)
        assert (await house.store.outages().open())[0].scope == RELAY
        relay.says = None
        await live(house, 60)
        assert len(relay.sent) == 10
        relay.hangs.set()
        await live(house, 60)
        assert len(relay.sent) == 13


async def until_next(house: House, relay: LateRelay) -> None:
    """Let time pass until one more mail is with the relay."""
    begun = relay.begun
    while relay.begun == begun:
        await live(house, 0.5)
    for _ in range(50):  # until it has heard the answer, which is late
        await asyncio.sleep(0)


async def test_a_late_failure_from_before_spoils_no_probe(house: House) -> None:
    """It began before the outage, and ends while the probe is under way: the probe alone tells."""
    relay = LateRelay(house)
    async with working(house, relay):
        await order(house, 2, "hangs.example")
        await order(house, 8)
        await live(house, 3)
        relay.says, relay.takes = None, 4.0
        await until_next(house, relay)
        relay.says, relay.takes = DOWN, 0.0
        relay.hangs.set()
        await live(house, 1.5)
        assert [outage.trips for outage in await house.store.outages().open()] == [1]
        relay.says = None
        await live(house, 4)
        assert await house.store.outages().open() == ()


async def test_late_failures_from_before_begin_no_outage_again(house: House) -> None:
    """The relay is back and has taken mail since they began."""
    relay = LateRelay(house)
    async with working(house, relay):
        await order(house, 6, "hangs.example")
        await order(house, 8)
        await live(house, 3)
        relay.says = None
        await live(house, 60)
        relay.says = DOWN
        relay.hangs.set()
        await live(house, 2)
        assert await house.store.outages().open() == ()


async def test_looking_for_what_is_overdue_takes_a_tenth_of_the_time(house: House) -> None:
    """In a long outage with a million mails due each look reads them all; so it is the rarer the longer it takes."""

    class Large(MemoryStore):
        looks = 0

        async def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
            if request.overdue_after is not None:
                self.looks += 1
                await house.clock.sleep(2)
            return await super().claim(request)

    store = Large(house.clock)
    house.container.store.override(providers.Object(store))
    relay = LateRelay(house)
    relay.says = WRONG_PASSWORD
    await house.service.enqueue_template("note", to="u@example.org", context={"text": "x"})
    async with working(house, relay):
        await live(house, 100)
    assert 4 < store.looks < 8


async def test_whoever_ends_tells_first_what_it_has_found(house: House) -> None:
    """The last mail is the probe, and nobody claims any more: the administrator hears of the end all the same."""
    relay = LateRelay(house)
    relay.says = WRONG_PASSWORD
    await order(house, 1)
    task = asyncio.create_task(house.worker(relay).run_until_empty())
    await live(house, 3)
    relay.says, relay.takes = None, 1.0
    while not task.done():
        house.clock.advance(0.25)
        for _ in range(50):
            await asyncio.sleep(0)
    await task
    assert await house.store.outages().open() == ()
    begun, ended = house.notifier.outages
    assert (begun.closed_at, ended.closed_at is None) == (None, False)


async def test_a_probe_that_ends_during_a_stop_counts(house: House) -> None:
    """Its worker was told to stop after the gate: what it has found is told before it ends."""
    relay = LateRelay(house)
    await order(house, 6)
    task = asyncio.create_task(house.worker(relay).run())
    await live(house, 3)
    relay.says, relay.takes = None, 3.0
    await until_next(house, relay)
    task.cancel()
    for _ in range(50):
        house.clock.advance(0.5)
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (len(relay.sent), await house.store.outages().open()) == (1, ())


async def test_one_worker_in_trouble_of_its_own_stops_no_other(house: House) -> None:
    """Its host's certificates, clock or network are broken: all wait for it once; then the others send, and it alone waits."""
    relay, broken = LateRelay(house), LateRelay(house)
    relay.says, broken.says = None, WRONG_PASSWORD
    async with working(house, broken):
        await order(house, 100)
        await live(house, 1)
        assert broken.asked
        async with working(house, relay):
            for _ in range(6):
                await live(house, 10, 2)
                await order(house, 30)
            await live(house, 20, 2)
            assert len(relay.sent) == 280
            assert broken.asked < 40
            assert len(house.notifier.outages) == 2
        asked, broken.says = broken.asked, None
        await order(house, 30)
        await live(house, 200)
        assert broken.asked > asked
        assert len(broken.sent) == 30


async def test_who_is_left_alone_with_its_trouble_speaks_up(house: House) -> None:
    """Whoever refuted it is gone, and nobody else would tell the administrator."""
    relay, broken = LateRelay(house), LateRelay(house)
    relay.says, broken.says = None, WRONG_PASSWORD
    async with working(house, broken):
        await order(house, 10)
        await live(house, 1)
        async with working(house, relay):
            await live(house, 30, 2)
        assert [outage.closed_at is None for outage in house.notifier.outages] == [True, False]
        await order(house, 10)
        await live(house, 300)
        assert await house.store.outages().open() == ()
        while not (begun := await house.store.outages().open()):
            await live(house, 1)
        assert begun[0].probe_in < timedelta(seconds=10)  # in case there are others
        await live(house, LASTS.total_seconds() + 2)
    assert [outage.closed_at is None for outage in house.notifier.outages] == [True, False, True]
