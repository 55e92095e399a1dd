"""The laws of the Operations port."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from galaxy_mail.domain.delivery import DeliveryStatus, RecipientState
from galaxy_mail.domain.errors import ResendRefused, UnknownDelivery
from galaxy_mail.domain.records import DeliveryQuery, RecipientRecord
from galaxy_mail.testing.contracts.harness import CONTENDERS, StoreHarness
from galaxy_mail.testing.contracts.operations_reports import OperationsReports
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
    TO,
    after,
    claim,
    claim_one,
    new_delivery,
    settle,
)

NOBODY = UUID(int=0)
OPEN, PASSED, REFUSED = RecipientState
PEOPLE = (
    (TO, '"Lovelace, Ada" <ada@example.org>'),
    (CC, "cc@example.org"),
    (BCC, "bcc@example.org"),
    (REPLY_TO, "desk@example.org"),
)


@pytest.mark.asyncio
class OperationsContract(OperationsReports):
    """What every store offers to an operator. Override ``harness``."""

    async def test_stats_counts_every_status(self, harness: StoreHarness) -> None:
        """Every status has its count, zero included; a claim moves no delivery from one to another."""
        store = harness.store
        assert await store.stats() == dict.fromkeys(DeliveryStatus, 0)
        await after(harness, new_delivery(), [ACCEPTED])
        await after(harness, new_delivery(), [NO_SUCH_USER])
        await after(harness, new_delivery(), [BUSY])
        await store.enqueue(new_delivery())
        expected = dict(zip(DeliveryStatus, (1, 1, 1, 1), strict=True))
        assert await store.stats() == expected
        await claim(store)
        assert await store.stats() == expected

    async def test_find_returns_recipients_and_attempts(self, harness: StoreHarness) -> None:
        """All that is known, in the order in which it was ordered and happened, and no secret; None for a stranger."""
        order = new_delivery(people=PEOPLE, ttl=10 * RETRY, secrets={"code": "493817"})
        began = await harness.now()
        await after(harness, order, [OUTAGE], [BUSY, NO_SUCH_USER, ACCEPTED])
        record = await harness.store.find(order.delivery_id)
        assert record is not None
        assert record.message_id == order.mail.message_id
        assert record.recipients == (
            RecipientRecord(TO, "ada@example.org", "Lovelace, Ada", OPEN, 450, "4.2.0 mailbox busy"),
            RecipientRecord(CC, "cc@example.org", "", REFUSED, 550, "5.1.1 no such user"),
            RecipientRecord(BCC, "bcc@example.org", "", PASSED, 250, "2.0.0 queued as Q1"),
            RecipientRecord(REPLY_TO, "desk@example.org", "", None, None, ""),
        )
        assert [(attempt.number, attempt.blame, attempt.fault) for attempt in record.attempts] == [
            (1, "transport", "unreachable"),
            (2, "nobody", None),
        ]
        assert record.resends == ()
        summary = record.summary
        assert (summary.delivery_id, summary.template, summary.lane) == (
            order.delivery_id,
            "welcome",
            order.lane,
        )
        assert summary.expires_at is not None
        assert abs(summary.expires_at - summary.created_at - 10 * RETRY) < harness.tick
        assert began - 2 * RETRY <= summary.created_at < began + harness.tick
        assert "493817" not in repr(record)
        assert await harness.store.find(NOBODY) is None

    async def test_search_filters_and_limits(self, harness: StoreHarness) -> None:
        """Each filter alone and all together, newest first, at most as many as asked for."""
        store = harness.store
        dead = await after(harness, new_delivery(template="bill"), [NO_SUCH_USER])
        sent = await after(harness, new_delivery(people=PEOPLE), [ACCEPTED])
        new = await after(harness, new_delivery(template="bill"))

        async def found(query: DeliveryQuery) -> list[UUID]:
            return [summary.delivery_id for summary in await store.search(query)]

        assert await found(DeliveryQuery()) == [new, sent, dead]
        assert await found(DeliveryQuery(limit=2)) == [new, sent]
        assert await found(DeliveryQuery(template="bill")) == [new, dead]
        assert await found(DeliveryQuery(status=DeliveryStatus.SENT)) == [sent]
        assert await found(DeliveryQuery(recipient="cc@example.org")) == [sent]
        assert await found(DeliveryQuery(recipient="ada@example.org")) == [new, sent, dead]
        assert await found(DeliveryQuery(DeliveryStatus.PENDING, "bill", "ada@example.org")) == [new]
        assert await found(DeliveryQuery(recipient="nobody@example.org")) == []

    async def test_a_resent_dead_letter_starts_afresh(self, harness: StoreHarness) -> None:
        """Due at once as if new, with its past on record: attempts, the resend, and numbers that go on."""
        store = harness.store
        dead = await after(harness, new_delivery(people=PEOPLE), [OUTAGE], [BUSY], [OUTAGE])
        await harness.age(RETRY)
        await claim_one(store)
        await harness.age(LEASE)
        await settle(store, await claim_one(store), NO_SUCH_USER)
        await store.resend(dead, by="grace")

        record = await store.find(dead)
        assert record is not None
        assert (record.summary.status, record.summary.reason) == (DeliveryStatus.PENDING, None)
        assert (record.summary.attempts, record.summary.finished_at) == (0, None)
        assert [each.state for each in record.recipients] == [OPEN, OPEN, OPEN, None]
        assert [attempt.number for attempt in record.attempts] == [1, 2, 3, 4, 5]
        assert [(resend.by, resend.after_attempt) for resend in record.resends] == [("grace", 5)]
        assert await store.take_notices(10, RETRY) == (), "nobody need be told of it now"

        claimed = await claim_one(store)
        assert (claimed.number, claimed.status) == (6, DeliveryStatus.PENDING)
        assert (claimed.attempts, claimed.deferrals, claimed.abandoned) == (0, 0, 0)
        assert claimed.age < harness.tick
        await settle(store, claimed, ACCEPTED)

    async def test_resend_refuses_what_cannot_be_sent(self, harness: StoreHarness) -> None:
        """Not a dead letter, wiped, expired or unknown: the error says so, and nothing has changed."""
        store = harness.store
        sent = await after(harness, new_delivery(), [ACCEPTED])
        wiped = await after(harness, new_delivery(secrets={"code": "493817"}), [NO_SUCH_USER])
        expired = await after(harness, new_delivery(ttl=RETRY), [NO_SUCH_USER])
        waiting = await after(harness, new_delivery(), [BUSY])
        await claim_one(store)
        new = await after(harness, new_delivery())
        for delivery_id in (sent, wiped, expired, waiting, new):
            before = await store.find(delivery_id)
            with pytest.raises(ResendRefused):
                await store.resend(delivery_id, by="grace")
            assert await store.find(delivery_id) == before
        with pytest.raises(UnknownDelivery):
            await store.resend(NOBODY, by="grace")

    async def test_two_operators_resend_once(self, harness: StoreHarness) -> None:
        """One of them resends, the others are told that it is no dead letter any more."""
        for _ in range(5):
            dead = await after(harness, new_delivery(), [NO_SUCH_USER])
            calls = (harness.store.resend(dead, f"operator {n}") for n in range(CONTENDERS))
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            refused = [outcome for outcome in outcomes if isinstance(outcome, ResendRefused)]
            assert (outcomes.count(None), len(refused)) == (1, CONTENDERS - 1)
            record = await harness.store.find(dead)
            assert record is not None
            assert len(record.resends) == 1
            await settle(harness.store, await claim_one(harness.store), ACCEPTED)

    async def test_purge_takes_only_what_ended_long_ago(self, harness: StoreHarness) -> None:
        """Oldest first, up to the limit; not what is alive, ended lately, or is yet to be told. Its key is free again."""
        store = harness.store
        oldest = await after(harness, new_delivery(key="k"), [ACCEPTED])
        old = await after(harness, new_delivery(), [ACCEPTED])
        untold = await after(harness, new_delivery(), [NO_SUCH_USER])
        young = await after(harness, new_delivery(), [ACCEPTED])
        alive = await after(harness, new_delivery())
        long_ago = RETRY * 1.5
        assert await store.purge(long_ago, limit=1) == 1
        assert await store.find(oldest) is None
        again = new_delivery(key="k", context={"the key": "is free"})
        assert await store.enqueue(again) == again.delivery_id
        assert [await store.purge(long_ago, limit=10) for _ in range(2)] == [1, 0]
        assert await store.find(old) is None
        for kept in (untold, young, alive):
            assert await store.find(kept) is not None

    async def test_purge_keeps_the_count(self, harness: StoreHarness) -> None:
        """What is purged is no longer counted, and the rest still is."""
        store = harness.store
        for said in ([ACCEPTED], [ACCEPTED], [NO_SUCH_USER]):
            await after(harness, new_delivery(), said)
        await store.mark_told(await store.take_notices(10, RETRY))
        await after(harness, new_delivery(), [ACCEPTED])
        assert await store.purge(RETRY * 1.5, limit=10) == 3
        stats = await store.stats()
        assert (stats[DeliveryStatus.SENT], stats[DeliveryStatus.DEAD_LETTERED]) == (1, 0)

    async def test_a_stored_mail_can_be_loaded(self, harness: StoreHarness) -> None:
        """Exactly as it was ordered, whatever became of it since; not if it is spoilt, wiped or unknown."""
        store = harness.store
        order, secret, spoilt = (
            new_delivery(people=PEOPLE),
            new_delivery(secrets={"code": "493817"}),
            new_delivery(),
        )
        await after(harness, order, [ACCEPTED])
        assert await store.load_mail(order.delivery_id) == order.mail
        await store.enqueue(secret)
        assert await store.load_mail(secret.delivery_id) == secret.mail
        await settle(store, await claim_one(store), ACCEPTED)
        await store.enqueue(spoilt)
        await harness.corrupt(spoilt.delivery_id)
        for refused in (secret, spoilt):
            with pytest.raises(ResendRefused):
                await store.load_mail(refused.delivery_id)
        with pytest.raises(UnknownDelivery):
            await store.load_mail(NOBODY)
