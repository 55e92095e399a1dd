"""The worker on a real SMTP conversation: what it holds, what it renews, and how it stops.

Invariant of every test here: what the server took in is accounted for, and nothing is leased once the worker has ended,
unless the test lets it end in disgrace.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.adapters.smtp import PooledSmtpSender, PoolLimits, RelayConfig, TlsMode
from galaxy_mail.domain.delivery import AttemptOutcome, DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.errors import SchemaOutdated, StoreUnavailable
from galaxy_mail.domain.leases import Claim, ClaimRequest, Held, Sign
from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdicts import Envelope, Receipt
from galaxy_mail.testing.smtp_rules import Moment, Rule, greylist, hang, reply
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer
from tests.app.conftest import House, build_house, live, stop

ADA = "ada@example.org"


@contextlib.asynccontextmanager
async def relay(
    *rules: Rule, connections: int = 10
) -> AsyncIterator[tuple[ScriptedSmtpServer, PooledSmtpSender]]:
    """A server with these rules, and a pool on it."""
    async with ScriptedSmtpServer(rules=rules) as server:
        pool = PoolLimits(connections=connections)
        sender = PooledSmtpSender(
            RelayConfig(host=server.host, port=server.port, tls=TlsMode.NONE, pool=pool)
        )
        yield server, sender
        server.release()
        await sender.aclose()


async def order(house: House, *people: str) -> list[UUID]:
    """One note for each."""
    return [await house.service.enqueue_template("note", to=to, context={"text": "x"}) for to in people]


def leased(house: House) -> int:
    """How many deliveries hold a token."""
    return sum(row.token is not None for row in house.store.rows.values())


async def test_everything_due_is_sent_once(house: House) -> None:
    """More mails than it may hold at once, on a few connections: each arrives once."""
    people = [f"u{i}@example.org" for i in range(250)]
    await order(house, *people)
    async with relay(connections=3) as (server, sender):
        await house.worker(sender).run_until_empty()
    assert sorted(copy.recipients[0] for copy in server.copies) == sorted(people)
    assert (await house.service.stats())[DeliveryStatus.SENT] == 250


async def test_a_greylisted_mail_is_sent_at_the_second_attempt(house: House) -> None:
    """It waits for its backoff; the first attempt stays on record, burned; the second is the success."""
    (delivery_id,) = await order(house, ADA)
    async with relay(greylist()) as (server, sender):
        await live(house, asyncio.create_task(house.worker(sender).run_until_empty()))
    record = await house.service.show(delivery_id)
    assert [attempt.outcome for attempt in record.attempts] == [
        AttemptOutcome.TRANSIENT_ERROR,
        AttemptOutcome.SUCCESS,
    ]
    wait = record.attempts[1].started_at - record.attempts[0].started_at
    assert timedelta(seconds=3.75) <= wait <= timedelta(seconds=6.25 + 1)
    assert record.summary.attempts == 2
    assert len(server.copies) == 1


async def test_a_mail_refused_for_good_is_a_dead_letter_and_told(house: House) -> None:
    """The administrator knows before ``run_until_empty`` returns."""
    await order(house, "eve@example.org", ADA)
    async with relay(reply(Moment.RCPT, 550, "5.1.1 who?", recipient="eve@example.org")) as (server, sender):
        await house.worker(sender).run_until_empty()
    (notice,) = house.notifier.notices
    assert (notice.reason, notice.refused, notice.detail) == (
        DeadLetterReason.REFUSED,
        ("e***@example.org",),
        "5.1.1 who?",
    )
    assert [copy.recipients for copy in server.copies] == [(ADA,)]


async def test_the_maximum_of_attempts_dead_letters(tmp_path: Path) -> None:
    """Each attempt is on record; after the last allowed one the mail is dead, and no more is tried."""
    house = build_house(tmp_path, max_attempts=3)
    (delivery_id,) = await order(house, ADA)
    async with relay(reply(Moment.RCPT, 450, "4.2.0 busy")) as (server, sender):
        await live(house, asyncio.create_task(house.worker(sender).run_until_empty()))
    record = await house.service.show(delivery_id)
    assert (record.summary.status, record.summary.reason) == (
        DeliveryStatus.DEAD_LETTERED,
        DeadLetterReason.EXHAUSTED,
    )
    assert [attempt.outcome for attempt in record.attempts] == [AttemptOutcome.TRANSIENT_ERROR] * 3
    assert server.ledger.moments[Moment.RCPT] == 3


async def test_an_outage_burns_nothing_and_ends_by_age(tmp_path: Path) -> None:
    """Nobody listens at the relay: no attempt is burned, and only max_age ends the waiting."""
    house = build_house(tmp_path, max_age=timedelta(hours=1), max_attempts=2)
    (delivery_id,) = await order(house, ADA)
    sender = PooledSmtpSender(RelayConfig(host="127.0.0.1", port=1, tls=TlsMode.NONE))
    await live(house, asyncio.create_task(house.worker(sender).run_until_empty()))
    await sender.aclose()
    record = await house.service.show(delivery_id)
    assert record.summary.reason is DeadLetterReason.AGED_OUT
    assert record.summary.attempts == 0
    assert len(record.attempts) > 5
    assert not any(attempt.burned for attempt in record.attempts)


async def test_an_expired_code_is_never_sent(house: House) -> None:
    """Past its validity no connection is made; it is a dead letter and its code is wiped."""
    await house.service.enqueue_login_code(ADA, code="493817", ttl=timedelta(minutes=1))
    house.clock.advance(timedelta(minutes=1))
    async with relay() as (server, sender):
        await house.worker(sender).run_until_empty()
    assert server.connections == 0
    (row,) = house.store.rows.values()
    assert row.reason is DeadLetterReason.EXPIRED
    assert row.stored.secrets is None


async def test_cancelled_past_the_gate_it_waits_for_the_reply(house: House) -> None:
    """A stop while the server ponders the dot waits for its answer and records it."""
    (delivery_id,) = await order(house, ADA)
    async with relay(hang(Moment.DOT)) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DOT)
        task.cancel()
        server.release()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await house.service.show(delivery_id)).summary.status is DeliveryStatus.SENT
    assert len(server.copies) == 1
    assert not leased(house)


async def test_cancelled_before_the_gate_it_gives_back_untouched(house: House) -> None:
    """A stop before the body releases the claims: nothing burned, no attempt on record, no copy, due at once."""
    ids = await order(house, *(f"u{i}@example.org" for i in range(40)))
    async with relay(hang(Moment.DATA), connections=2) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DATA, 2)
        await stop(task)
        assert not leased(house)
        server.release()
    assert not server.copies
    for delivery_id in ids:
        record = await house.service.show(delivery_id)
        assert (record.summary.status, record.summary.attempts, record.attempts) == (
            DeliveryStatus.PENDING,
            0,
            (),
        )
    assert len(await house.store.claim(ClaimRequest("other", 100, timedelta(minutes=1), 5))) == 40


async def test_claims_that_arrive_after_the_stop_are_given_back(tmp_path: Path) -> None:
    """Cancelled while the store is still issuing claims, the worker waits for them and releases them."""

    class SlowStore(MemoryStore):
        """Answers a claim when it is told to."""

        def __init__(self, clock: ManualClock) -> None:
            super().__init__(clock)
            self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

        async def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
            """See ``Queue.claim``."""
            claims = await super().claim(request)
            self.asked.set()
            await self.may_answer.wait()
            return claims

    house = build_house(tmp_path)
    house.store = store = SlowStore(house.clock)
    house.container.store.override(store)
    await order(house, ADA)
    async with relay() as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await store.asked.wait()
        task.cancel()
        assert leased(house) == 1
        store.may_answer.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not leased(house)
    assert not server.connections


async def test_a_transaction_that_never_ends_is_left_to_its_lease(tmp_path: Path) -> None:
    """The grace is bounded: past it the worker ends, the claim runs out, and the attempt will be ambiguous."""
    house = build_house(tmp_path, stop_grace=timedelta(milliseconds=50))
    (delivery_id,) = await order(house, ADA)
    async with relay(hang(Moment.DOT)) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DOT)
        await stop(task)
        assert leased(house) == 1
        house.clock.advance(house.service.config.lease)
        (claim,) = await house.store.claim(ClaimRequest("other", 1, timedelta(minutes=1), 5))
        assert claim.abandoned == 1
    (attempt,) = (await house.service.show(delivery_id)).attempts
    assert attempt.ambiguous


class Unrenewable(MemoryStore):
    """A store that no renewal reaches, as if its worker had been paused."""

    async def renew(
        self, claims: Sequence[Held], lease: timedelta, sign: Sign | None = None
    ) -> frozenset[UUID]:
        """See ``Queue.renew``."""
        raise StoreUnavailable("renew")


async def test_a_worker_that_lost_its_lease_begins_no_body(tmp_path: Path) -> None:
    """It comes to the gate too late: another worker has sent the mail meanwhile, and there is one copy."""
    house = build_house(tmp_path)
    house.store = Unrenewable(house.clock)
    house.container.store.override(house.store)
    (delivery_id,) = await order(house, ADA)
    async with relay(hang(Moment.DATA, nth=1)) as (server, sender), relay() as (second, other_sender):
        zombie = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DATA)
        house.clock.advance(house.service.config.lease)
        await house.worker(other_sender).run_until_empty()
        server.release()
        await server.wait_for(Moment.GONE)
        await stop(zombie)
    assert (len(server.copies), len(second.copies)) == (0, 1)
    record = await house.service.show(delivery_id)
    assert record.summary.status is DeliveryStatus.SENT
    assert [attempt.ambiguous for attempt in record.attempts] == [True, False]


async def test_leases_are_renewed_while_a_server_ponders(house: House) -> None:
    """An hour at the dot: the claim stays with its worker, nobody else gets it, and the reply counts."""
    (delivery_id,) = await order(house, ADA)
    async with relay(hang(Moment.DOT)) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DOT)
        for _ in range(3600):
            await house.clock.wait_for_sleepers(5)
            house.clock.advance(1)
        assert not await house.store.claim(ClaimRequest("other", 1, timedelta(minutes=1), 5))
        task.cancel()
        server.release()
        with pytest.raises(asyncio.CancelledError):
            await task
    record = await house.service.show(delivery_id)
    assert [attempt.outcome for attempt in record.attempts] == [AttemptOutcome.SUCCESS]


async def test_suspects_are_worked_on_without_others(house: House) -> None:
    """While one is sent that a dead worker left, nothing is in hand but others of its kind."""
    await order(house, *(f"u{i}@example.org" for i in range(5)))
    await house.store.claim(ClaimRequest("dead", 3, timedelta(seconds=1), 5))
    house.clock.advance(1)
    held: list[set[int]] = []

    class Watching(PooledSmtpSender):
        """Looks what is leased whenever something is sent."""

        async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
            """See ``SmtpSender.send``."""
            rows = house.store.rows.values()
            held.append({row.abandoned for row in rows if row.token and row.claimed_by != "dead"})
            return await super().send(envelope, message, gate)

    async with ScriptedSmtpServer() as server:
        sender = Watching(RelayConfig(host=server.host, port=server.port, tls=TlsMode.NONE))
        await house.worker(sender).run_until_empty()
        await sender.aclose()
    assert held == [{1}, {1}, {1}, {0}, {0}]
    assert len(server.copies) == 5


async def test_what_killed_two_workers_is_worked_on_alone(house: House) -> None:
    """Nothing at all is in hand beside it."""
    await order(house, *(f"u{i}@example.org" for i in range(3)))
    for _ in range(2):
        await house.store.claim(ClaimRequest("dead", 3, timedelta(seconds=1), 5, suspects_together=3))
        house.clock.advance(1)
    await order(house, "u3@example.org", "u4@example.org")
    held: list[int] = []

    class Watching(PooledSmtpSender):
        """Counts what is leased whenever a suspect is sent."""

        async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
            """See ``SmtpSender.send``."""
            in_hand = [row for row in house.store.rows.values() if row.token and row.claimed_by != "dead"]
            if any(row.abandoned for row in in_hand):
                held.append(len(in_hand))
            return await super().send(envelope, message, gate)

    async with ScriptedSmtpServer() as server:
        sender = Watching(RelayConfig(host=server.host, port=server.port, tls=TlsMode.NONE))
        await house.worker(sender).run_until_empty()
        await sender.aclose()
    assert held == [1, 1, 1]
    assert len(server.copies) == 5


async def test_it_never_holds_more_than_its_batch(tmp_path: Path) -> None:
    """However much is due, ``batch_size`` is the most that a worker leases."""
    house = build_house(tmp_path, batch_size=7)
    await order(house, *(f"u{i}@example.org" for i in range(50)))
    async with relay(hang(Moment.DATA), connections=50) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DATA, 7)
        assert leased(house) == 7
        await stop(task)


async def test_an_unreachable_store_is_asked_again(tmp_path: Path) -> None:
    """Claim and count fail for a while; the worker waits, and then works."""

    class Flaky(MemoryStore):
        """Fails the first three calls."""

        failures = 3

        async def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
            """See ``Queue.claim``."""
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("claim", "57P03")
            return await super().claim(request)

    house = build_house(tmp_path)
    house.store = Flaky(house.clock)
    house.container.store.override(house.store)
    await order(house, ADA)
    async with relay() as (server, sender):
        await live(house, asyncio.create_task(house.worker(sender).run_until_empty()))
    assert len(server.copies) == 1


async def test_a_template_that_broke_after_the_enqueue_is_unrenderable(house: House) -> None:
    """The mail is a dead letter with its attempt on record, no connection is made, and no other mail is concerned."""
    broken = await house.service.enqueue_template("welcome", to=ADA, context={"name": "Ada"})
    await order(house, ADA)
    (house.templates / "welcome" / "body.txt").write_text("{{ surname }}")
    house.container.renderer.reset()
    house.container.composer.reset()
    async with relay() as (server, sender):
        await house.worker(sender).run_until_empty()
    record = await house.service.show(broken)
    assert record.summary.reason is DeadLetterReason.UNRENDERABLE
    assert [attempt.outcome for attempt in record.attempts] == [AttemptOutcome.PERMANENT_ERROR]
    assert len(server.copies) == 1


async def test_a_delivery_of_which_nobody_is_left_ends(house: House) -> None:
    """Should one ever be due with no open recipient, it ends without a transaction, and the worker goes on."""
    left, _ = await order(house, ADA, "bob@example.org")
    house.store.rows[left].recipients[0].mark(RecipientState.REFUSED, None)
    async with relay() as (server, sender):
        await house.worker(sender).run_until_empty()
    record = await house.service.show(left)
    assert (record.summary.status, record.attempts) == (DeliveryStatus.DEAD_LETTERED, ())
    assert [copy.recipients for copy in server.copies] == [("bob@example.org",)]


async def test_a_store_that_is_gone_is_not_stormed_by_looks(tmp_path: Path) -> None:
    """While a full hand hangs and no look is answered, the next look waits for a poll interval."""

    class Lost(MemoryStore):
        """Answers claims, but no looks."""

        looks = 0

        async def urgent_due(self) -> bool:
            """See ``Queue.urgent_due``."""
            self.looks += 1
            raise StoreUnavailable("urgent_due", "57P03")

    house = build_house(tmp_path, batch_size=10)
    house.store = store = Lost(house.clock)
    house.container.store.override(store)
    await order(house, *(f"u{i}@example.org" for i in range(8)))
    async with relay(hang(Moment.DATA), connections=8) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DATA, 8)
        for looks in (1, 2):
            # The claim loop, which was given no answer, and the four beside it.
            await house.clock.wait_for_sleepers(5)
            assert store.looks == looks
            house.clock.advance(house.service.config.poll_interval)
        await stop(task)


class Failing(MemoryStore):
    """A store whose second claim is answered as told."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.calls = 0
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """See ``Queue.claim``."""
        self.calls += 1
        if self.calls > 1:
            self.asked.set()
            await self.may_answer.wait()
            raise SchemaOutdated("somebody migrated")
        return await super().claim(request)


async def test_a_worker_that_must_end_drains_first(tmp_path: Path) -> None:
    """The schema changes under it: the mail past its gate is waited for and recorded, and then the error is told."""
    house = build_house(tmp_path)
    house.store = store = Failing(house.clock)
    house.container.store.override(store)
    (delivery_id,) = await order(house, ADA)
    async with relay(hang(Moment.DOT)) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DOT)
        store.may_answer.set()
        await store.asked.wait()
        server.release()
        with pytest.raises(ExceptionGroup) as ended:
            await task
    assert ended.group_contains(SchemaOutdated)
    assert (await house.service.show(delivery_id)).summary.status is DeliveryStatus.SENT


async def test_stopped_while_the_store_hangs_no_further_body_begins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What waits at the gate is withdrawn at once, though the store does not answer until later; what it answers then is told."""
    house = build_house(tmp_path)
    house.store = store = Failing(house.clock)
    house.container.store.override(store)
    await order(house, *(f"u{i}@example.org" for i in range(3)))
    async with relay(hang(Moment.DATA), connections=3) as (server, sender):
        task = asyncio.create_task(house.worker(sender).run())
        await server.wait_for(Moment.DATA, 3)
        await store.asked.wait()
        task.cancel()
        await asyncio.sleep(0)
        server.release()
        await server.wait_for(Moment.GONE, 3)
        store.may_answer.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert server.ledger.moments[Moment.BODY] == 0
    assert not server.copies
    assert not leased(house)
    assert "the last claim failed: SchemaOutdated" in caplog.text
