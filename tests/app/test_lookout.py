"""Signs of life at work: the dead are found out at once, and the living lose nothing, whatever becomes of their session.

Time stands still unless a test moves it, and is never moved by as much as a lease where a sign is to make the difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.adapters.memory.bell import MemoryBell
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.sign_of_life import SignOfLife
from galaxy_mail.domain.delivery import AttemptOutcome, DeliveryStatus
from galaxy_mail.domain.errors import StoreUnavailable
from galaxy_mail.domain.leases import Absence, Claim, ClaimRequest, Held, Sign
from galaxy_mail.testing.smtp_rules import Moment, hang
from tests.app.conftest import House, build_house, stop
from tests.app.test_worker import ADA, order, relay

LOOPS = 5  # of a worker that is idle
PAUSE = RuntimeConfig().sign_pause.total_seconds()
LOOKS = RuntimeConfig().looks_in_vain


class Shaky(MemoryStore):
    """A store whose sessions break and cannot be had, whose statements fail, and that tells when something is given back."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.sessions = True
        self.answers = True
        self.given_back = asyncio.Event()
        self.bells: list[MemoryBell] = []

    def bell(self) -> MemoryBell:
        """See ``Queue.bell``."""
        self.bells.append(bell := super().bell())
        keep = bell.keep_sign

        async def keep_sign() -> Sign | None:
            return await keep() if self.sessions else None

        bell.keep_sign = keep_sign  # type: ignore[method-assign]
        return bell

    def break_sessions(self) -> None:
        """As pg_terminate_backend of the listeners does."""
        for bell in self.bells:
            if bell.sign is not None:
                self.signs.drop(bell.sign)

    async def renew(
        self, claims: Sequence[Held], lease: timedelta, sign: Sign | None = None
    ) -> frozenset[UUID]:
        """See ``Queue.renew``."""
        if not self.answers:
            raise StoreUnavailable("renew")
        return await super().renew(claims, lease, sign)

    async def end_leases_of_the_gone(self, missed: frozenset[Sign]) -> Absence:
        """See ``Queue.end_leases_of_the_gone``."""
        if not self.answers:
            raise StoreUnavailable("look")
        return await super().end_leases_of_the_gone(missed)

    async def release(self, claims: Sequence[Held]) -> frozenset[UUID]:
        """See ``Queue.release``."""
        lost = await super().release(claims)
        self.given_back.set()
        return lost


def shaky_house(folder: Path, **settings: object) -> tuple[House, Shaky]:
    """A house on such a store."""
    house = build_house(folder, **settings)
    house.store = store = Shaky(house.clock)
    house.container.store.override(store)
    return house, store


async def die(house: House) -> tuple[Claim, ...]:
    """Claim what is due, as a worker that shows a sign of life, and is gone then."""
    bell = MemoryBell(house.store._table, house.store.signs)
    sign = await bell.keep_sign()
    claims = await house.store.claim(ClaimRequest("dead", 100, timedelta(hours=1), 5, sign=sign))
    await bell.aclose()
    return claims


async def pause(house: House, times: int, workers: int = 1) -> None:
    """Let so many pauses pass, each once all loops of all workers have nothing to do but wait for it."""
    for _ in range(times):
        await house.clock.wait_for_sleepers(workers * LOOPS)
        house.clock.advance(PAUSE)
    await house.clock.wait_for_sleepers(workers * LOOPS)


async def test_what_a_dead_worker_left_is_sent_before_its_lease_ends(tmp_path: Path) -> None:
    """Some looks in a row have missed its sign; the mail is taken over, with an ambiguous attempt."""
    house, _ = shaky_house(tmp_path)
    (delivery_id,) = await order(house, ADA)
    await die(house)
    async with relay() as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await pause(house, LOOKS - 1)
        assert not server.connections
        await house.clock.wait_for_sleepers(LOOPS)
        house.clock.advance(PAUSE)
        await server.wait_for(Moment.DOT)
        await stop(task)
    record = await house.service.show(delivery_id)
    assert record.summary.status is DeliveryStatus.SENT
    assert [(attempt.ambiguous, attempt.worker == "dead") for attempt in record.attempts] == [
        (True, True),
        (False, False),
    ]


@pytest.mark.parametrize("again", [True, False], ids=["is there again", "cannot be had"])
async def test_a_living_worker_that_loses_its_session_loses_no_claim(tmp_path: Path, again: bool) -> None:
    """It takes its sign again, or renews its claims without one, before others have missed it for long enough."""
    house, store = shaky_house(tmp_path)
    (delivery_id,) = await order(house, ADA)
    async with relay(hang(Moment.DATA)) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DATA)
        other = asyncio.create_task(house.worker(sender).run())
        await pause(house, 1, workers=2)
        assert store.rows[delivery_id].claimed_sign is not None
        store.break_sessions()
        store.sessions = again
        await pause(house, 2 * LOOKS, workers=2)
        assert (store.rows[delivery_id].claimed_sign is not None) is again
        server.release()
        await server.wait_for(Moment.DOT)
        await stop(task)
        await stop(other)
    record = await house.service.show(delivery_id)
    assert (record.summary.status, [attempt.ambiguous for attempt in record.attempts]) == (
        DeliveryStatus.SENT,
        [False],
    )


async def test_no_body_begins_under_a_sign_that_is_lost(tmp_path: Path) -> None:
    """A worker that reaches nobody lets go of its claims before another may have them, though its lease is good."""
    house, store = shaky_house(tmp_path)
    await order(house, ADA)
    async with relay(hang(Moment.DATA)) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DATA)
        await pause(house, 1)
        store.break_sessions()
        store.sessions = store.answers = False
        await pause(house, LOOKS)
        server.release()
        await server.wait_for(Moment.GONE)
        store.answers = True
        await stop(task)
    assert not server.copies


async def test_what_has_not_begun_waits_for_the_sign(tmp_path: Path) -> None:
    """An outage of the database costs an attempt only what was on its way to the gate."""
    house, store = shaky_house(tmp_path, connections=1)
    ids = await order(house, *(f"u{i}@example.org" for i in range(5)))
    async with relay(hang(Moment.DOT, nth=1), connections=1) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DOT)
        await pause(house, 1)
        store.break_sessions()
        store.sessions = store.answers = False
        await pause(house, LOOKS)
        server.release()
        await house.clock.wait_for_sleepers(LOOPS + 2)  # two have their turn, and wait
        store.sessions = store.answers = True
        for _ in range(2):
            house.clock.advance(PAUSE)
            await house.clock.wait_for_sleepers(LOOPS)
        await server.wait_for(Moment.DOT, 4)
        await stop(task)
    attempts = [(await house.service.show(delivery_id)).attempts for delivery_id in ids]
    assert [attempt.outcome for (attempt, *_) in attempts].count(AttemptOutcome.SUCCESS) == 4


async def test_a_look_that_fails_counts_afresh(tmp_path: Path) -> None:
    """After an outage of the database everybody is missing for a moment; nobody is robbed for what was missed before it."""
    house, store = shaky_house(tmp_path)
    await order(house, ADA)
    (claim,) = await die(house)
    async with relay() as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await pause(house, LOOKS - 1)
        store.answers = False
        await pause(house, 1)
        store.answers = True
        await pause(house, LOOKS - 1)
        assert store.rows[claim.held.delivery_id].token == claim.held.token
        house.clock.advance(PAUSE)
        await server.wait_for(Moment.DOT)
        await stop(task)


async def test_what_waits_is_given_back_for_what_the_dead_left(tmp_path: Path) -> None:
    """Full hands do not keep the dead one's mail waiting; only what has had its turn stays beside it."""
    house, store = shaky_house(tmp_path, connections=1, batch_size=10)
    await order(house, "doomed@example.org")
    (claim,) = await die(house)
    await order(house, *(f"u{i}@example.org" for i in range(10)))
    async with relay(hang(Moment.DATA), connections=1) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DATA)
        for _ in range(LOOKS):
            await house.clock.wait_for_sleepers(LOOPS - 1)  # its hands are full, so it is not idle
            house.clock.advance(PAUSE)
        await store.given_back.wait()
        held = [row for row in store.rows.values() if row.token]
        assert len(held) == 1 + 3, (
            "the dead one's, and a turn for the connection, who rides behind, and who is ready to"
        )
        assert all(row.queued_at == row.next_attempt_at for row in store.rows.values() if not row.token)
        await stop(task)
    assert store.rows[claim.held.delivery_id].abandoned == 1


async def test_a_lost_sign_covers_until_others_may_have_missed_it() -> None:
    """It covers while it is there, and for all looks but one after it was there for certain; no sign needs no cover."""
    clock = ManualClock()
    store = Shaky(clock)
    life = SignOfLife(bell=store.bell(), clock=clock, config=RuntimeConfig())
    task = asyncio.create_task(life.keep())
    await clock.wait_for_sleepers(1)
    sign = life.now
    assert sign is not None
    store.break_sessions()
    store.sessions = False
    for _ in range(LOOKS - 1):
        assert life.now is None
        assert life.covers(None)
        assert life.covers(sign)
        await clock.wait_for_sleepers(1)
        clock.advance(PAUSE)
    assert not life.covers(sign)
    assert life.covers(None)
    store.sessions = True
    await clock.wait_for_sleepers(1)
    clock.advance(PAUSE)
    await clock.wait_for_sleepers(1)
    assert life.covers(sign)
    task.cancel()
