"""The laws of the Queue port: claims, leases, and what becomes of those that nobody settles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.leases import Claim, ClaimRequest, Unreadable
from galaxy_mail.domain.mail import Lane, Mail
from galaxy_mail.domain.verdict_table import ABANDONED_VERDICT
from galaxy_mail.testing.contracts.harness import StoreContract, StoreHarness
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    BCC,
    BUSY,
    CC,
    LEASE,
    REPLY_TO,
    TO,
    UNRENDERABLE,
    claim,
    claim_one,
    new_delivery,
    settle,
    settlement,
)

EVERYONE = (
    (TO, '"Lovelace, Ada" <ada@example.org>'),
    (CC, "team@example.org"),
    (BCC, "böb@bücher.example"),
    (REPLY_TO, "Ü <desk@example.org>"),
)
STRANGE = {
    "name": "Žluťoučký 🐎 \"'\\ </script>",
    "n": 2**70,
    "x": 1.0,
    "deep": [{"no": None, "yes": True}],
    "": "",
}


@pytest.mark.asyncio
class QueueClaims(StoreContract):
    """How deliveries are claimed, held, given back and taken over."""

    async def test_a_claim_changes_no_status_and_burns_nothing(self, harness: StoreHarness) -> None:
        """A claim hands out the mail as it was ordered, with all that a worker must know; what is counted stays."""
        store = harness.store
        order = new_delivery(people=EVERYONE, context=STRANGE, secrets={"code": "493817"}, ttl=LEASE)
        await store.enqueue(order)
        claimed = await claim_one(store, worker="w1")
        assert claimed.mail == order.mail
        assert claimed.recipient_states == (RecipientState.OPEN,) * 3 + (None,)
        assert (claimed.number, claimed.status) == (1, DeliveryStatus.PENDING)
        assert (claimed.attempts, claimed.deferrals, claimed.abandoned) == (0, 0, 0)
        assert claimed.age < harness.tick
        assert claimed.expires_in is not None
        assert LEASE - harness.tick < claimed.expires_in <= LEASE

        record = await store.find(order.delivery_id)
        assert record is not None
        assert (record.summary.status, record.summary.attempts) == (DeliveryStatus.PENDING, 0)
        assert (record.summary.leased, record.summary.claimed_by) == (True, "w1")
        assert record.attempts == ()
        assert await harness.leased_count() == 1

    async def test_lanes_are_claimed_in_order(self, harness: StoreHarness) -> None:
        """Urgent before normal before bulk, and within a lane whoever is due longer; a small limit takes those first."""
        store, due = harness.store, dict[Lane, list[UUID]]()
        for lane in (Lane.BULK, Lane.NORMAL, Lane.URGENT, Lane.BULK, Lane.NORMAL, Lane.URGENT):
            order = new_delivery(lane=lane)
            due.setdefault(lane, []).append(await store.enqueue(order))
            await harness.age(harness.tick)
        expected = [delivery_id for lane in sorted(due) for delivery_id in due[lane]]
        found = [await claim(store, limit) for limit in (1, 1, 2, 1)]
        assert [_ids(claims) for claims in found] == [
            set(expected[a:b]) for a, b in ((0, 1), (1, 2), (2, 4), (4, 5))
        ]
        assert _ids(await claim(store)) == {expected[5]}

    async def test_a_flood_leaves_a_share_to_the_lanes_behind(self, harness: StoreHarness) -> None:
        """Of a full claim a tenth goes to each lane behind, and to the first whatever those leave: none stands still."""
        store = harness.store
        await store.enqueue_many(
            [new_delivery(lane=lane) for lane in (Lane.URGENT, Lane.BULK) for _ in range(60)]
        )
        await store.enqueue(new_delivery(lane=Lane.NORMAL))
        counts = [Counter(each.lane for each in await claim(store, 20)) for _ in range(2)]
        assert counts == [
            {Lane.URGENT: 17, Lane.NORMAL: 1, Lane.BULK: 2},
            {Lane.URGENT: 18, Lane.BULK: 2},
        ]

    async def test_what_is_urgent_and_due_is_seen(self, harness: StoreHarness) -> None:
        """From the commit of something urgent until its claim it is true; what waits in other lanes does not count."""
        store = harness.store
        await store.enqueue(new_delivery(lane=Lane.NORMAL))
        await store.enqueue(new_delivery(lane=Lane.BULK))
        assert not await store.urgent_due()
        await store.enqueue(new_delivery(lane=Lane.URGENT))
        assert await store.urgent_due()
        await claim(store)
        assert not await store.urgent_due()

    async def test_a_lease_ends_at_its_deadline(self, harness: StoreHarness) -> None:
        """One tick before the deadline nobody else gets the delivery; at the deadline the next one does."""
        await harness.store.enqueue(new_delivery())
        first = await claim_one(harness.store)
        await harness.age(LEASE - harness.tick)
        assert await claim(harness.store) == ()
        await harness.age(harness.tick)
        second = await claim_one(harness.store)
        assert second.held.delivery_id == first.held.delivery_id
        assert second.held.token != first.held.token

    async def test_an_expired_lease_is_reclaimed_and_its_attempt_recorded(
        self, harness: StoreHarness
    ) -> None:
        """The next claim writes down the attempt that nobody closed: ambiguous, unburned, counted apart."""
        store = harness.store
        await store.enqueue(new_delivery())
        await claim_one(store, worker="w1")
        await harness.age(LEASE)
        claimed = await claim_one(store, worker="w2")
        assert (claimed.number, claimed.status) == (2, DeliveryStatus.RETRYING)
        assert (claimed.attempts, claimed.deferrals, claimed.abandoned) == (0, 0, 1)
        assert claimed.suspect

        record = await store.find(claimed.held.delivery_id)
        assert record is not None
        assert (record.summary.status, record.summary.claimed_by) == (DeliveryStatus.RETRYING, "w2")
        (attempt,) = record.attempts
        assert (attempt.number, attempt.worker, attempt.burned) == (1, "w1", False)
        assert (attempt.outcome, attempt.stage) == (ABANDONED_VERDICT.outcome, ABANDONED_VERDICT.stage)
        assert (attempt.blame, attempt.ambiguous) == (ABANDONED_VERDICT.blame, True)
        assert LEASE <= attempt.duration < LEASE + harness.tick

    async def test_a_delivery_abandoned_too_often_is_poison(self, harness: StoreHarness) -> None:
        """At the limit it is a dead letter with everything that one has, and the claim that finds it serves the others."""
        store, order = harness.store, new_delivery(people=EVERYONE, secrets={"code": "493817"})
        await store.enqueue(order)
        for _ in range(3):
            (last,) = await claim(store, abandoned_limit=3)
            await harness.age(LEASE)
        neighbour = new_delivery()
        await store.enqueue(neighbour)
        assert _ids(await claim(store, abandoned_limit=3)) == {neighbour.delivery_id}

        record = await store.find(order.delivery_id)
        assert record is not None
        assert (record.summary.status, record.summary.reason) == (
            DeliveryStatus.DEAD_LETTERED,
            DeadLetterReason.POISON,
        )
        assert (record.summary.leased, record.summary.next_attempt_at) == (False, None)
        assert record.summary.finished_at is not None
        assert [attempt.number for attempt in record.attempts] == [1, 2, 3]
        assert [each.state for each in record.recipients] == [RecipientState.REFUSED] * 3 + [None]
        assert await harness.secrets_of(order.delivery_id) is None
        assert await store.settle([settlement(last, ACCEPTED)]) == {order.delivery_id}
        assert [notice.reason for notice in await store.take_notices(10, LEASE)] == [DeadLetterReason.POISON]

    async def test_a_poisonous_mail_that_somebody_accepted_is_sent(self, harness: StoreHarness) -> None:
        """It ends as partial acceptance does: sent, the rest refused, and the administrator is told."""
        store, order = harness.store, new_delivery(people=((TO, "ada@example.org"), (CC, "bob@example.org")))
        await store.enqueue(order)
        await settle(store, await claim_one(store), ACCEPTED, BUSY)
        for _ in range(2):
            await harness.age(LEASE)
            await claim(store, abandoned_limit=1)
        record = await store.find(order.delivery_id)
        assert record is not None
        assert (record.summary.status, record.summary.reason) == (DeliveryStatus.SENT, None)
        assert [each.state for each in record.recipients] == [RecipientState.ACCEPTED, RecipientState.REFUSED]
        assert [notice.status for notice in await store.take_notices(10, LEASE)] == [DeliveryStatus.SENT]
        assert (await store.stats())[DeliveryStatus.SENT] == 1

    async def test_an_abandoned_mail_that_is_to_be_held_is_uncertain(self, harness: StoreHarness) -> None:
        """Who fell silent may have sent it: it is never claimed again by itself, and a person is told."""
        store, order = harness.store, new_delivery(hold_uncertain=True, secrets={"code": "493817"})
        await store.enqueue(order)
        assert (last := await claim_one(store, worker="w1")).hold_uncertain
        await harness.age(LEASE)
        neighbour = new_delivery()
        await store.enqueue(neighbour)
        assert _ids(await claim(store)) == {neighbour.delivery_id}

        record = await store.find(order.delivery_id)
        assert record is not None
        assert (record.summary.status, record.summary.reason) == (
            DeliveryStatus.DEAD_LETTERED,
            DeadLetterReason.UNCERTAIN,
        )
        assert record.hold_uncertain
        assert [(each.number, each.ambiguous, each.worker) for each in record.attempts] == [(1, True, "w1")]
        assert [each.state for each in record.recipients] == [RecipientState.REFUSED]
        assert await harness.secrets_of(order.delivery_id) is None
        assert await store.settle([settlement(last, ACCEPTED)]) == {order.delivery_id}
        assert [n.reason for n in await store.take_notices(10, LEASE)] == [DeadLetterReason.UNCERTAIN]
        assert (await store.stats())[DeliveryStatus.DEAD_LETTERED] == 1

    async def test_an_abandoned_mail_to_be_held_that_somebody_accepted_is_sent(
        self, harness: StoreHarness
    ) -> None:
        """It ends as partial acceptance does: sent, and who may or may not have got it is named as refused."""
        store = harness.store
        people = ((TO, "ada@example.org"), (CC, "bob@example.org"))
        order = new_delivery(people=people, hold_uncertain=True)
        await store.enqueue(order)
        await settle(store, await claim_one(store), ACCEPTED, BUSY)
        await harness.age(LEASE)
        await claim_one(store)
        await harness.age(LEASE)
        assert await claim(store) == ()
        record = await store.find(order.delivery_id)
        assert record is not None
        assert (record.summary.status, record.summary.reason) == (DeliveryStatus.SENT, None)
        assert [each.state for each in record.recipients] == [RecipientState.ACCEPTED, RecipientState.REFUSED]
        assert [notice.refused for notice in await store.take_notices(10, LEASE)] == [("b***@example.org",)]

    async def test_suspects_are_claimed_first_and_without_others(self, harness: StoreHarness) -> None:
        """What was abandoned once waits behind no backlog, and has no company that would be blamed with it."""
        store = harness.store
        suspects = {await store.enqueue(new_delivery()) for _ in range(5)}
        await claim(store)
        await harness.age(LEASE)
        neighbours = {await store.enqueue(new_delivery(lane=lane)) for lane in (Lane.URGENT, Lane.BULK)}
        calls = [await claim(store, suspects_together=2) for _ in range(5)]
        assert [len(claims) for claims in calls] == [2, 2, 1, 2, 0]
        assert set().union(*map(_ids, calls[:3])) == suspects
        assert _ids(calls[3]) == neighbours

    async def test_a_suspect_of_two_losses_is_claimed_alone(self, harness: StoreHarness) -> None:
        """It may have killed two workers: whoever was with it then is not blamed again."""
        store = harness.store
        suspects = {await store.enqueue(new_delivery()) for _ in range(3)}
        for _ in range(2):
            await claim(store, suspects_together=5)
            await harness.age(LEASE)
        await store.enqueue(new_delivery(lane=Lane.BULK))
        calls = [await claim(store, suspects_together=5) for _ in range(4)]
        assert [[each.abandoned for each in claims] for claims in calls] == [[2], [2], [2], [0]]
        assert set().union(*map(_ids, calls[:3])) == suspects

    async def test_only_what_is_overdue_is_taken_if_asked(self, harness: StoreHarness) -> None:
        """What has expired, or is too old, and is due or left by a dead worker; nothing that could still be sent."""
        store, day = harness.store, timedelta(days=1)
        old = await store.enqueue(new_delivery(lane=Lane.BULK))
        await harness.age(day)
        expired = {
            await store.enqueue(new_delivery(lane=lane, ttl=LEASE / 2)) for lane in (Lane.URGENT, Lane.NORMAL)
        }
        abandoned = await store.enqueue(new_delivery(lane=Lane.URGENT, ttl=LEASE / 2))
        await harness.age(LEASE)
        for _ in range(2):
            await store.enqueue(new_delivery(ttl=day))
        request = ClaimRequest("worker", 2, LEASE, 100, overdue_after=day)
        taken = [await store.claim(request) for _ in range(3)]
        assert set().union(*map(_ids, taken)) == {old, abandoned, *expired}
        assert [len(claims) for claims in taken] == [2, 2, 0]
        assert len(await claim(store)) == 2

    async def test_an_unreadable_mail_is_claimed_as_such(self, harness: StoreHarness) -> None:
        """A mail that cannot be read back has a claim like any other, which can be closed; its neighbours are served."""
        store, spoilt, sound = harness.store, new_delivery(context={"name": "Rosebud"}), new_delivery()
        await store.enqueue(spoilt)
        await store.enqueue(sound)
        await harness.corrupt(spoilt.delivery_id)
        claims = {each.held.delivery_id: each for each in await claim(store)}
        assert isinstance(claims[sound.delivery_id].mail, Mail)
        unreadable = claims[spoilt.delivery_id].mail
        assert isinstance(unreadable, Unreadable)
        assert unreadable.problem
        assert "Rosebud" not in unreadable.problem
        await settle(store, claims[spoilt.delivery_id], UNRENDERABLE)
        record = await store.find(spoilt.delivery_id)
        assert record is not None
        assert record.summary.reason is DeadLetterReason.UNRENDERABLE


def _ids(claims: Sequence[Claim]) -> set[UUID]:
    return {each.held.delivery_id for each in claims}
