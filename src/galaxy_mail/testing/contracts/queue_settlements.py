"""The laws of the Queue port: how the end of an attempt is written down."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from galaxy_mail.domain.delivery import AttemptOutcome, DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.records import RecipientRecord
from galaxy_mail.domain.settlement import give_up, put_off
from galaxy_mail.testing.contracts.harness import StoreContract, StoreHarness
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    BCC,
    BUSY,
    CC,
    NO_SUCH_USER,
    OUTAGE,
    REPLY_TO,
    RETRY,
    SILENCE,
    TO,
    claim,
    claim_one,
    new_delivery,
    settle,
    settlement,
)
from galaxy_mail.testing.contracts.queue_leases import taken_over

OPEN, PASSED, REFUSED = RecipientState
FOUR = ((TO, "a@example.org"), (CC, "b@example.org"), (BCC, "c@example.org"), (REPLY_TO, "d@example.org"))


@pytest.mark.asyncio
class QueueSettlements(StoreContract):
    """How claims are settled."""

    async def test_a_stale_claim_is_refused_and_changes_nothing(self, harness: StoreHarness) -> None:
        """Whatever a zombie settles, in whatever company, the latest claim keeps the delivery as it was."""
        store = harness.store
        stale, latest = await taken_over(harness)
        await store.enqueue(new_delivery())
        other = await claim_one(store)
        before = await store.find(stale.held.delivery_id)
        for said in (ACCEPTED, BUSY, NO_SUCH_USER, OUTAGE, SILENCE):
            assert await store.settle([settlement(stale, said)]) == {stale.held.delivery_id}
        lost = await store.settle([settlement(stale, ACCEPTED), settlement(other, ACCEPTED)])
        assert lost == {stale.held.delivery_id}, "the other claim of the batch is settled all the same"
        assert await store.find(stale.held.delivery_id) == before
        await settle(store, latest, ACCEPTED)

    async def test_of_a_stale_and_a_fresh_claim_the_fresh_one_settles(self, harness: StoreHarness) -> None:
        """Both in one call, in either order: nothing of the stale one is written, not even who had accepted."""
        store = harness.store
        for stale_first in (True, False):
            stale, fresh = await taken_over(harness)
            both = [settlement(stale, ACCEPTED), settlement(fresh, BUSY)]
            await store.settle(both if stale_first else both[::-1])
            record = await store.find(fresh.held.delivery_id)
            assert record is not None
            assert record.summary.status is DeliveryStatus.RETRYING
            assert [each.state for each in record.recipients] == [RecipientState.OPEN]
            assert record.attempts[-1].outcome is AttemptOutcome.TRANSIENT_ERROR
            await harness.age(RETRY * 2)
            await settle(store, await claim_one(store), ACCEPTED)

    async def test_a_claim_settles_once(self, harness: StoreHarness) -> None:
        """A spent claim is lost, whether its delivery has ended, waits for a retry, or was claimed anew."""
        store = harness.store
        await store.enqueue(new_delivery())
        first = await claim_one(store)
        await settle(store, first, BUSY)
        assert await store.settle([settlement(first, ACCEPTED)]) == {first.held.delivery_id}
        await harness.age(RETRY)
        second = await claim_one(store)
        assert await store.settle([settlement(first, ACCEPTED)]) == {first.held.delivery_id}
        await settle(store, second, ACCEPTED)
        before = await store.find(first.held.delivery_id)
        for spent in (first, second):
            assert await store.settle([settlement(spent, NO_SUCH_USER)]) == {first.held.delivery_id}
        assert await store.find(first.held.delivery_id) == before
        assert await store.settle([]) == frozenset()

    async def test_a_settlement_is_written_whole(self, harness: StoreHarness) -> None:
        """Status, attempt, recipients and counters tell the same story after each settlement."""
        store, order = harness.store, new_delivery(people=FOUR)
        await store.enqueue(order)
        await settle(store, await claim_one(store, worker="w1"), ACCEPTED, NO_SUCH_USER, BUSY)
        record = await store.find(order.delivery_id)
        assert record is not None
        assert (record.summary.status, record.summary.attempts) == (DeliveryStatus.RETRYING, 1)
        assert (record.summary.leased, record.summary.finished_at) == (False, None)
        assert [each.state for each in record.recipients] == [PASSED, REFUSED, OPEN, None]
        assert [each.code for each in record.recipients] == [250, 550, 450, None]
        (attempt,) = record.attempts
        assert (attempt.number, attempt.outcome, attempt.code) == (1, AttemptOutcome.SUCCESS, 250)
        assert (attempt.stage, attempt.enhanced, attempt.detail) == ("dot", "2.0.0", "2.0.0 queued as Q1")
        assert (attempt.burned, attempt.ambiguous, attempt.blame) == (True, False, "nobody")
        assert (attempt.worker, attempt.remote_id, attempt.template_version) == ("w1", "Q1", "v7")
        assert attempt.duration == timedelta(seconds=2)

        await harness.age(RETRY)
        second = await claim_one(store, worker="w2")
        assert second.recipient_states == (PASSED, REFUSED, OPEN, None)
        assert (second.status, second.attempts) == (DeliveryStatus.RETRYING, 1)
        await settle(store, second, SILENCE)
        await harness.age(2 * RETRY)
        record = await store.find(order.delivery_id)
        assert record is not None
        assert record.attempts[1].ambiguous
        silent = RecipientRecord(BCC, "c@example.org", "", OPEN, code=None, detail="")
        assert record.recipients[2] == silent, "the last word about it is none"

        await settle(store, await claim_one(store, worker="w3"), ACCEPTED)
        record = await store.find(order.delivery_id)
        assert record is not None
        assert (record.summary.status, record.summary.reason) == (DeliveryStatus.SENT, None)
        assert (record.summary.next_attempt_at, record.summary.leased) == (None, False)
        assert record.summary.finished_at is not None
        assert [each.state for each in record.recipients] == [PASSED, REFUSED, PASSED, None]
        assert [attempt.number for attempt in record.attempts] == [1, 2, 3]

    async def test_a_delivery_is_given_up_without_an_attempt(self, harness: StoreHarness) -> None:
        """What was overdue at the claim ends without an attempt, and its recipients keep the last word about them."""
        store, order = harness.store, new_delivery(ttl=2 * RETRY)
        await store.enqueue(order)
        await settle(store, await claim_one(store), BUSY)
        await harness.age(2 * RETRY)
        late = await claim_one(store)
        assert late.expires_in is not None
        assert late.expires_in <= timedelta(0)
        assert await store.settle([give_up(late, DeadLetterReason.EXPIRED)]) == frozenset()
        record = await store.find(order.delivery_id)
        assert record is not None
        assert (record.summary.reason, record.summary.attempts) == (DeadLetterReason.EXPIRED, 1)
        assert [attempt.number for attempt in record.attempts] == [1]
        assert [(each.state, each.code) for each in record.recipients] == [(REFUSED, 450)]

    async def test_an_attempt_keeps_its_date(self, harness: StoreHarness) -> None:
        """A settlement that waited for an hour, while the store was away, tells of an attempt an hour ago."""
        store, order, hour = harness.store, new_delivery(), timedelta(hours=1)
        await store.enqueue(order)
        claimed, now = await claim_one(store), await harness.now()
        late = attrs.evolve(settlement(claimed, ACCEPTED), ended_ago=hour)
        assert await store.settle([late]) == frozenset()
        record = await store.find(order.delivery_id)
        assert record is not None
        (attempt,) = record.attempts
        ended = attempt.started_at + attempt.duration
        assert now - hour <= ended <= await harness.now() - hour
        assert attempt.duration == timedelta(seconds=2)

    async def test_a_delivery_is_put_off_without_an_attempt(self, harness: StoreHarness) -> None:
        """It waits, and is as it was: neither its status nor a counter nor a recipient tells of it."""
        store, order = harness.store, new_delivery()
        await store.enqueue(order)
        for said in ((), (OUTAGE,)):
            for word in said:
                await settle(store, await claim_one(store), word)
                await harness.age(16 * RETRY)
            before = await claim_one(store)
            assert await store.settle([put_off(before, RETRY)]) == frozenset()
            await harness.age(RETRY - harness.tick)
            assert await claim(store) == ()
            await harness.age(harness.tick)
            after = await claim_one(store)
            assert (after.status, after.attempts, after.deferrals) == (
                before.status,
                before.attempts,
                before.deferrals,
            )
            await store.release([after.held])
        record = await store.find(order.delivery_id)
        assert record is not None
        assert [each.outcome for each in record.attempts] == [AttemptOutcome.TRANSIENT_ERROR]

    async def test_a_mail_that_is_to_be_held_is_not_tried_again(self, harness: StoreHarness) -> None:
        """An outage is tried again as for any other; silence after the dot is the end, until a person has decided."""
        store, order = harness.store, new_delivery(hold_uncertain=True)
        await store.enqueue(order)
        await settle(store, await claim_one(store), OUTAGE)
        await harness.age(RETRY)
        await settle(store, await claim_one(store), SILENCE)
        await harness.age(16 * RETRY)
        assert await claim(store) == ()
        record = await store.find(order.delivery_id)
        assert record is not None
        assert record.summary.reason is DeadLetterReason.UNCERTAIN
        assert [attempt.ambiguous for attempt in record.attempts] == [False, True]

        await store.resend(order.delivery_id, by="grace")
        again = await claim_one(store)
        assert again.hold_uncertain, "the person has decided once, not for ever"
        await settle(store, again, SILENCE)
        record = await store.find(order.delivery_id)
        assert record is not None
        assert record.summary.reason is DeadLetterReason.UNCERTAIN

    async def test_only_a_burned_attempt_counts(self, harness: StoreHarness) -> None:
        """``attempts`` counts what burned; ``deferrals`` what did not, until something burns."""
        store, counted = harness.store, []
        await store.enqueue(new_delivery())
        for said in (OUTAGE, OUTAGE, BUSY, OUTAGE, SILENCE):
            await settle(store, claimed := await claim_one(store), said)
            counted.append((claimed.attempts, claimed.deferrals))
            await harness.age(16 * RETRY)
        last = await claim_one(store)
        assert counted == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
        assert (last.attempts, last.deferrals, last.abandoned) == (2, 0, 0)

    async def test_a_retry_is_not_due_before_its_delay(self, harness: StoreHarness) -> None:
        """One tick before the delay has passed nobody gets it; when it has passed, somebody does."""
        store = harness.store
        await store.enqueue(new_delivery())
        await settle(store, await claim_one(store), BUSY)
        await harness.age(RETRY - harness.tick)
        assert await claim(store) == ()
        await harness.age(harness.tick)
        assert (await claim_one(store)).number == 2

    async def test_secrets_are_wiped_when_a_delivery_ends(self, harness: StoreHarness) -> None:
        """Sent or dead, the secrets are gone in the same moment; until then every claim has them."""
        store = harness.store
        for last_word in (ACCEPTED, NO_SUCH_USER):
            order = new_delivery(secrets={"code": "493817"})
            await store.enqueue(order)
            await settle(store, await claim_one(store), BUSY)
            assert await harness.secrets_of(order.delivery_id) is not None
            await harness.age(RETRY)
            claimed = await claim_one(store)
            assert claimed.mail == order.mail
            await settle(store, claimed, last_word)
            assert await harness.secrets_of(order.delivery_id) is None
