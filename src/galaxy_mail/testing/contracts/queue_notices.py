"""The laws of the Queue port: what an administrator is to be told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.ports import Store
from galaxy_mail.testing.contracts.harness import StoreContract, StoreHarness
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    BUSY,
    CC,
    NO_SUCH_USER,
    TO,
    claim_one,
    new_delivery,
    settle,
)

HOLD = timedelta(minutes=15)


async def _dead_letter(store: Store[Any]) -> None:
    await store.enqueue(new_delivery())
    await settle(store, await claim_one(store), NO_SUCH_USER)


@pytest.mark.asyncio
class QueueNotices(StoreContract):
    """How notices are left, taken and told."""

    async def test_a_dead_letter_leaves_a_notice(self, harness: StoreHarness) -> None:
        """So does a mail that some recipients refused; a mail that all accepted, and one that waits, leave none."""
        store = harness.store
        both = ((TO, "ada@example.org"), (CC, "bob@example.org"))
        dead, partial, sent, waiting = (
            new_delivery(template="dead"),
            new_delivery(people=both),
            new_delivery(),
            new_delivery(),
        )
        for order, said in (
            (dead, [NO_SUCH_USER]),
            (partial, [ACCEPTED, NO_SUCH_USER]),
            (sent, [ACCEPTED]),
            (waiting, [BUSY]),
        ):
            await store.enqueue(order)
            await settle(store, await claim_one(store), *said)
        notices = {notice.delivery_id: notice for notice in await store.take_notices(10, HOLD)}
        assert set(notices) == {dead.delivery_id, partial.delivery_id}
        told = notices[dead.delivery_id]
        assert (told.status, told.reason) == (DeliveryStatus.DEAD_LETTERED, DeadLetterReason.REFUSED)
        assert (told.template, told.attempts, told.refused) == ("dead", 1, ("a***@example.org",))
        assert told.detail == "5.1.1 no such user"
        told = notices[partial.delivery_id]
        assert (told.status, told.reason, told.refused) == (DeliveryStatus.SENT, None, ("b***@example.org",))

    async def test_an_untold_notice_comes_back(self, harness: StoreHarness) -> None:
        """Whoever takes notices holds them for a while; if nobody is told by then, the next one gets them."""
        store = harness.store
        for _ in range(3):
            await _dead_letter(store)
        first, rest = await store.take_notices(2, HOLD), await store.take_notices(2, HOLD)
        assert (len(first), len(rest)) == (2, 1)
        assert len({notice.delivery_id for notice in first + rest}) == 3
        await harness.age(HOLD - harness.tick)
        assert await store.take_notices(10, HOLD) == ()
        await harness.age(harness.tick)
        again = await store.take_notices(10, HOLD)
        assert {notice.delivery_id for notice in again} == {notice.delivery_id for notice in first + rest}

    async def test_a_told_notice_does_not_come_back(self, harness: StoreHarness) -> None:
        """What was told stays told; the others are not touched by it, and telling twice is harmless."""
        store = harness.store
        for _ in range(2):
            await _dead_letter(store)
        told, untold = await store.take_notices(2, HOLD)
        for _ in range(2):
            await store.mark_told([told])
        await store.mark_told([])
        await harness.age(HOLD)
        (left,) = await store.take_notices(10, HOLD)
        assert left.delivery_id == untold.delivery_id

    async def test_a_second_end_is_told_too(self, harness: StoreHarness) -> None:
        """Telling of the first end, when the mail was resent and has ended again meanwhile, does not silence the second."""
        store = harness.store
        await _dead_letter(store)
        (first,) = await store.take_notices(10, HOLD)
        await store.resend(first.delivery_id, by="grace")
        await harness.age(harness.tick)
        await settle(store, await claim_one(store), NO_SUCH_USER)
        await store.mark_told([first])
        (second,) = await store.take_notices(10, HOLD)
        assert second.delivery_id == first.delivery_id
        assert second.ended_at != first.ended_at
