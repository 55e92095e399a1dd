"""The laws of the Operations port on what is told of the whole outbox: the audit and the shape."""

from __future__ import annotations

from datetime import timedelta

import pytest

from galaxy_mail.domain.invariants import OVERDUE_TAKEOVER, Invariant
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.outages import RELAY
from galaxy_mail.domain.shape import AGES, Shape, Waiting, bucket
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, Stage
from galaxy_mail.testing.contracts.harness import StoreContract, StoreHarness
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    BCC,
    BUSY,
    CC,
    LEASE,
    NO_SUCH_USER,
    OUTAGE,
    REPLY_TO,
    RETRY,
    SILENCE,
    TO,
    after,
    claim,
    claim_one,
    new_delivery,
    settle,
)

NONE = (0,) * (len(AGES) + 1)
PEOPLE = (
    (TO, "ada@example.org"),
    (CC, "bob@example.org"),
    (BCC, "cy@example.com"),
    (REPLY_TO, "desk@example.net"),
)


@pytest.mark.asyncio
class OperationsReports(StoreContract):
    """A part of OperationsContract."""

    async def test_an_audit_of_a_sound_outbox_finds_nothing(self, harness: StoreHarness) -> None:
        """Whatever can become of a mail, its worker and its secrets: everything adds up."""
        store, secrets = harness.store, {"code": "493817"}
        assert await store.audit(limit=10) == ()
        await after(
            harness, new_delivery(people=PEOPLE, secrets=secrets), [BUSY, NO_SUCH_USER, ACCEPTED], [ACCEPTED]
        )
        await after(harness, new_delivery(secrets=secrets, ttl=RETRY), [SILENCE])
        await store.resend(await after(harness, new_delivery(), [OUTAGE], [BUSY], [NO_SUCH_USER]), by="grace")
        await settle(store, await claim_one(store), BUSY)
        await store.enqueue(new_delivery())
        for _ in range(3):  # nobody settles these claims: the last one is poison
            await claim(store, abandoned_limit=2)
            await harness.age(LEASE)
        await store.mark_told(await store.take_notices(10, RETRY))
        await after(harness, new_delivery(secrets=secrets))
        await claim(store)
        assert sum((await store.stats()).values()) == 5
        assert await store.audit(limit=10) == ()
        assert await store.purge(RETRY, limit=1) == 1
        assert await store.audit(limit=10) == ()

    async def test_an_audit_knows_that_nobody_claims_in_an_outage(self, harness: StoreHarness) -> None:
        """So nobody takes over what a dead worker left; but soon after the end somebody should have."""
        store, cause = harness.store, classify(Stage.CONNECT, Fault.UNREACHABLE)
        await after(harness, new_delivery())
        await claim_one(store)
        outage = await store.outages().begin(RELAY, cause, RETRY)
        await harness.age(LEASE + OVERDUE_TAKEOVER + harness.tick)
        assert await store.audit(limit=10) == ()
        await store.outages().end(outage)
        assert await store.audit(limit=10) == ()
        await harness.age(OVERDUE_TAKEOVER + harness.tick)
        assert [breach.invariant for breach in await store.audit(limit=10)] == [Invariant.LEASES_END]

    async def test_an_audit_changes_nothing(self, harness: StoreHarness) -> None:
        """Not the mail that is due, nor the one that somebody holds."""
        store = harness.store
        held = await after(harness, new_delivery(secrets={"code": "493817"}))
        await claim_one(store)
        ids = [
            held,
            await after(harness, new_delivery(), [NO_SUCH_USER]),
            await after(harness, new_delivery()),
        ]
        before = [await store.find(delivery_id) for delivery_id in ids]
        await store.audit(limit=1)
        assert [await store.find(delivery_id) for delivery_id in ids] == before
        assert await harness.secrets_of(held) is not None

    async def test_the_shape_counts_who_waits_by_age_and_domain(self, harness: StoreHarness) -> None:
        """Open recipients of what is alive and not planned for later; of some domains, those with most first."""
        store = harness.store
        assert await store.shape(5, 100) == Shape(Waiting(NONE), (), 100, complete=True)
        await after(harness, new_delivery(), [ACCEPTED])
        await after(harness, new_delivery(people=PEOPLE), [ACCEPTED, BUSY, BUSY])
        await harness.age(2 * RETRY)
        await store.enqueue(new_delivery(people=[(TO, "zoe@example.org")], lane=Lane.BULK))
        await store.enqueue(
            new_delivery(people=[(TO, "may@example.net")], send_at=await harness.now() + RETRY)
        )
        shape = await store.shape(5, 100)
        assert [each.domain for each in shape.domains] == ["example.org", "example.com"]
        old, new = bucket(3 * RETRY), bucket(timedelta(0))
        self._waits(shape.total, {old: 2, new: 1}, 3 * RETRY)
        self._waits(shape.domains[0].waiting, {old: 1, new: 1}, 3 * RETRY)
        self._waits(shape.domains[1].waiting, {old: 1}, 3 * RETRY)
        first = await store.shape(1, 100)
        assert ([each.domain for each in first.domains], first.total.number) == (["example.org"], 3)

    @staticmethod
    def _waits(waiting: Waiting, counts: dict[int, int], oldest: timedelta) -> None:
        assert dict(enumerate(waiting.counts)) == dict.fromkeys(range(len(NONE)), 0) | counts
        assert abs(waiting.oldest - oldest) < RETRY / 2

    async def test_the_shape_tells_the_last_word(self, harness: StoreHarness) -> None:
        """A domain that nobody tried has none; else it is what was said of the recipient who was tried last, whoever else was
        claimed since and given back.
        """
        store = harness.store
        await store.enqueue(new_delivery())
        (line,) = (await store.shape(5, 100)).domains
        assert line.last is None
        await settle(store, await claim_one(store), OUTAGE)
        last = (await store.shape(5, 100)).domains[0].last
        assert last is not None
        assert (last.stage, last.blame) == ("connect", "transport")
        assert (last.code, last.fault, last.detail) == (None, "unreachable", "")
        await harness.age(RETRY)
        told = await harness.now()
        await settle(store, await claim_one(store), BUSY)
        last = (await store.shape(5, 100)).domains[0].last
        assert last is not None
        assert (last.stage, last.blame, last.code, last.fault) == ("rcpt", "recipient", 450, None)
        assert last.detail == "4.2.0 mailbox busy"
        assert told <= last.at <= await harness.now()
        await harness.age(RETRY / 2)  # the first one is not due again before RETRY
        await store.enqueue(new_delivery(people=[(TO, "bob@example.org")]))
        await settle(store, await claim_one(store), OUTAGE)
        last = (await store.shape(5, 100)).domains[0].last
        assert last is not None
        assert (last.stage, last.code) == ("connect", None)
        await store.enqueue(new_delivery())
        await store.release([(await claim_one(store)).held])
        assert (await store.shape(5, 100)).domains[0].last == last

    async def test_the_shape_is_bounded_and_says_so(self, harness: StoreHarness) -> None:
        """Of each lane so many, those that are due first."""
        store = harness.store
        for lane in (Lane.NORMAL, Lane.NORMAL, Lane.URGENT):
            await after(harness, new_delivery(lane=lane))
            await harness.age(RETRY)
        whole, part = await store.shape(5, 3), await store.shape(5, 1)
        assert (whole.total.number, whole.complete, whole.looked_at) == (3, True, 3)
        assert (part.total.number, part.complete, part.looked_at) == (2, False, 1)
        assert abs(part.total.oldest - 3 * RETRY) < RETRY / 2
