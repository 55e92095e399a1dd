"""The laws of the port Outages, which every queue has."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from galaxy_mail.domain.notices import OutageNotice
from galaxy_mail.domain.outages import LASTS, RELAY, REPEATS
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Blame, Fault, SmtpReply, Stage
from galaxy_mail.domain.worker_ports import Outages
from galaxy_mail.testing.contracts.harness import CONTENDERS, StoreContract, StoreHarness

HOLD = timedelta(minutes=15)
COOL_DOWN = timedelta(minutes=5)
DOWN = classify(Stage.CONNECT, Fault.UNREACHABLE)
WRONG_PASSWORD = classify(Stage.AUTH, SmtpReply(535, "5.7.8 no"))


async def _notice(outages: Outages) -> OutageNotice:
    notice = await outages.take_notice(HOLD)
    assert notice is not None
    return notice


@pytest.mark.asyncio
class QueueOutages(StoreContract):
    """How outages begin, are probed, end, and are told."""

    async def test_an_outage_is_open_until_it_ends(self, harness: StoreHarness) -> None:
        """Each scope has its own; after its end the next one of the scope is another one."""
        outages = harness.store.outages()
        assert await outages.open() == ()
        relay = await outages.begin(RELAY, WRONG_PASSWORD, COOL_DOWN)
        assert (relay.scope, relay.trips, relay.blame) == (RELAY, 1, Blame.CONFIGURATION)
        assert COOL_DOWN - harness.tick <= relay.probe_in <= COOL_DOWN
        await outages.begin("no-reply@example.org", DOWN, COOL_DOWN)
        assert {outage.scope for outage in await outages.open()} == {RELAY, "no-reply@example.org"}
        await outages.end(relay)
        (left,) = await outages.open()
        assert left.scope == "no-reply@example.org"
        await harness.age(harness.tick)
        assert (await outages.begin(RELAY, DOWN, COOL_DOWN)).outage_id != relay.outage_id

    async def test_an_outage_begins_once(self, harness: StoreHarness) -> None:
        """Many workers meet it at once; all of them learn of the same one."""
        outages = harness.store.outages()
        begun = await asyncio.gather(*(outages.begin(RELAY, DOWN, COOL_DOWN) for _ in range(CONTENDERS)))
        assert len({outage.outage_id for outage in begun}) == 1
        assert [outage.trips for outage in await outages.open()] == [1]

    async def test_one_caller_has_the_probe(self, harness: StoreHarness) -> None:
        """Nobody before it is due, then one of many."""
        outages = harness.store.outages()
        outage = await outages.begin(RELAY, DOWN, COOL_DOWN)
        assert not await outages.take_probe(outage, HOLD)
        await harness.age(COOL_DOWN)
        taken = await asyncio.gather(*(outages.take_probe(outage, HOLD) for _ in range(CONTENDERS)))
        assert sorted(taken) == [False] * (CONTENDERS - 1) + [True]

    async def test_a_forgotten_probe_is_free_again(self, harness: StoreHarness) -> None:
        """Whoever had it may be dead; another one may try when its time is over, and not before."""
        outages = harness.store.outages()
        outage = await outages.begin(RELAY, DOWN, COOL_DOWN)
        await harness.age(COOL_DOWN)
        assert await outages.take_probe(outage, HOLD)
        await harness.age(HOLD - harness.tick)
        assert not await outages.take_probe(outage, HOLD)
        await harness.age(harness.tick)
        assert await outages.take_probe(outage, HOLD)

    async def test_a_hastened_probe_is_one(self, harness: StoreHarness) -> None:
        """Many who begin to work let it be due; one makes it, and none of them lets a second one be due meanwhile."""
        outages = harness.store.outages()
        outage = await outages.begin(RELAY, WRONG_PASSWORD, 2 * HOLD)
        hastened = await asyncio.gather(*(outages.hasten(outage, HOLD) for _ in range(CONTENDERS)))
        assert all(each is not None and each.probe_in <= timedelta(0) for each in hastened)
        assert await outages.take_probe(outage, HOLD)
        late = await outages.hasten(outage, HOLD)
        assert late is not None
        assert late.probe_in > timedelta(0)
        assert not await outages.take_probe(outage, HOLD)

    async def test_what_is_over_or_outdated_changes_nothing(self, harness: StoreHarness) -> None:
        """A late word of a worker about what it knew: of one trip less, or of the outage before this one."""
        outages = harness.store.outages()
        first = await outages.begin(RELAY, DOWN, timedelta(0))
        prolonged = await outages.prolong(first, COOL_DOWN)
        assert prolonged is not None
        assert (prolonged.trips, prolonged.outage_id) == (2, first.outage_id)
        assert COOL_DOWN - harness.tick <= prolonged.probe_in <= COOL_DOWN
        assert await outages.prolong(first, HOLD) is None
        await outages.end(first)
        assert [outage.trips for outage in await outages.open()] == [2]
        await outages.end(prolonged)
        await harness.age(harness.tick)
        await outages.begin(RELAY, DOWN, timedelta(0))
        for old in (first, prolonged):
            await outages.end(old)
            assert await outages.prolong(old, HOLD) is None
            assert not await outages.take_probe(old, HOLD)
            assert await outages.hasten(old, HOLD) is None
        assert [outage.trips for outage in await outages.open()] == [1]

    async def test_an_outage_is_told_when_it_begins_and_when_it_ends(self, harness: StoreHarness) -> None:
        """Once each; a trip more is not told."""
        outages = harness.store.outages()
        outage = await outages.begin(RELAY, WRONG_PASSWORD, COOL_DOWN)
        begun = await _notice(outages)
        assert (begun.scope, begun.closed_at, begun.blame) == (RELAY, None, Blame.CONFIGURATION)
        assert (begun.stage, begun.said, begun.detail) == (Stage.AUTH, "535", "5.7.8 no")
        await outages.mark_told(begun)
        longer = await outages.prolong(outage, COOL_DOWN)
        await harness.age(HOLD)
        assert await outages.take_notice(HOLD) is None
        assert longer is not None
        await outages.end(longer)
        ended = await _notice(outages)
        assert ended.closed_at is not None
        await outages.mark_told(ended)
        await harness.age(HOLD)
        assert await outages.take_notice(HOLD) is None

    async def test_an_outage_that_ended_untold_is_told_once(self, harness: StoreHarness) -> None:
        """A person need not hear that something began that is over."""
        outages = harness.store.outages()
        await outages.end(await outages.begin(RELAY, DOWN, COOL_DOWN))
        only = await _notice(outages)
        assert only.closed_at is not None
        assert only.said == "unreachable"
        assert await outages.take_notice(HOLD) is None

    async def test_an_outage_that_repeats_another_is_told_if_it_lasts(self, harness: StoreHarness) -> None:
        """A relay that works for a moment each minute is told once; nobody wants a hundred notices an hour."""
        outages, short = harness.store.outages(), LASTS / 2
        await outages.end(await outages.begin(RELAY, DOWN, COOL_DOWN))
        await outages.mark_told(await _notice(outages))
        for _ in range(3):
            await harness.age(short)
            again = await outages.begin(RELAY, DOWN, COOL_DOWN)
            await harness.age(short)
            assert await outages.take_notice(HOLD) is None
            await outages.end(again)
            assert await outages.take_notice(HOLD) is None
        last = await outages.begin(RELAY, DOWN, COOL_DOWN)
        await harness.age(LASTS)
        begun = await _notice(outages)
        assert (begun.outage_id, begun.closed_at) == (last.outage_id, None)
        await outages.mark_told(begun)
        await outages.end(last)
        ended = await _notice(outages)
        assert ended.closed_at is not None
        await outages.mark_told(ended)
        await harness.age(REPEATS)
        await outages.begin(RELAY, DOWN, COOL_DOWN)
        assert (await _notice(outages)).closed_at is None

    async def test_an_untold_outage_notice_comes_back(self, harness: StoreHarness) -> None:
        """Whoever took it may be dead."""
        outages = harness.store.outages()
        await outages.begin(RELAY, DOWN, COOL_DOWN)
        await _notice(outages)
        await harness.age(HOLD - harness.tick)
        assert await outages.take_notice(HOLD) is None
        await harness.age(harness.tick)
        assert (await _notice(outages)).scope == RELAY

    async def test_purge_forgets_what_nobody_waits_for(self, harness: StoreHarness) -> None:
        """Not what is yet to be told, nor what may be probed still; a refused sender who writes no more is not open for ever."""
        store, month = harness.store, timedelta(days=30)
        outages = store.outages()
        await outages.begin("no-reply@example.org", DOWN, COOL_DOWN)
        await outages.mark_told(await _notice(outages))
        await outages.end(await outages.begin(RELAY, DOWN, COOL_DOWN))
        await harness.age(month + COOL_DOWN)
        await store.purge(month, limit=10)
        assert [outage.scope for outage in await outages.open()] == ["no-reply@example.org"]
        await harness.age(timedelta(days=1) + harness.tick)
        await store.purge(month, limit=10)
        assert await outages.open() == ()
        assert (await _notice(outages)).scope == RELAY

    async def test_telling_of_the_beginning_leaves_the_end_to_tell(self, harness: StoreHarness) -> None:
        """It ended while somebody was told that it had begun."""
        outages = harness.store.outages()
        outage = await outages.begin(RELAY, DOWN, COOL_DOWN)
        begun = await _notice(outages)
        await outages.end(outage)
        await outages.mark_told(begun)
        assert (await _notice(outages)).closed_at is not None
