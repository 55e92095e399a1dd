"""The laws of signs of life: who is seen to be gone loses its leases, and nobody else does.

For stores whose ``Bell`` keeps a sign. A bell that is closed stands for a worker that is killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from galaxy_mail.domain.leases import Absence, Claim, ClaimRequest, Sign
from galaxy_mail.domain.worker_ports import Bell
from galaxy_mail.testing.contracts.bell import LASTING, PATIENCE
from galaxy_mail.testing.contracts.harness import StoreContract, StoreHarness
from galaxy_mail.testing.contracts.orders import LEASE, claim, claim_one, new_delivery


async def claim_under(harness: StoreHarness, sign: Sign | None) -> Claim:
    """A new delivery, claimed under ``sign``."""
    await harness.store.enqueue(new_delivery())
    (claimed,) = await harness.store.claim(ClaimRequest("doomed", 1, LEASE, 5, sign=sign))
    return claimed


async def sign_of(bell: Bell) -> Sign:
    """The sign that it keeps."""
    sign = await bell.keep_sign()
    assert sign is not None
    assert bell.sign == sign
    return sign


@pytest.mark.asyncio
class SignContract(StoreContract):
    """What every Queue does whose Bell keeps a sign of life. Override ``harness``."""

    @pytest.fixture
    async def bell(self, harness: StoreHarness) -> AsyncIterator[Bell]:
        """The bell of a worker, closed in the end."""
        bell = harness.store.bell()
        yield bell
        await bell.aclose()

    async def test_each_bell_has_a_sign_of_its_own(self, harness: StoreHarness, bell: Bell) -> None:
        """Two workers of one name are told apart; and a worker is asked for its sign again and again."""
        other = harness.store.bell()
        assert bell.sign is None
        assert await sign_of(bell) == await sign_of(bell) != await sign_of(other)
        await other.aclose()
        assert other.sign is None

    async def test_the_leases_of_the_gone_end_at_once(self, harness: StoreHarness, bell: Bell) -> None:
        """They are taken over as if they had run out: the open attempt is ambiguous, and counted."""
        store, sign = harness.store, await sign_of(bell)
        lost = await claim_under(harness, sign)
        await bell.aclose()
        assert await store.end_leases_of_the_gone(frozenset({sign})) == Absence(frozenset({sign}), 1)
        heir = await claim_one(store, worker="heir")
        assert (heir.held.delivery_id, heir.number, heir.abandoned) == (lost.held.delivery_id, 2, 1)
        record = await store.find(heir.held.delivery_id)
        assert record is not None
        assert [(attempt.ambiguous, attempt.worker) for attempt in record.attempts] == [(True, "doomed")]
        assert await store.renew([lost.held], LEASE) == {lost.held.delivery_id}

    async def test_the_end_of_a_lease_rings(self, harness: StoreHarness, bell: Bell) -> None:
        """Whoever is idle comes to take it over."""
        sign = await sign_of(bell)
        await claim_under(harness, sign)
        await bell.aclose()
        idle = harness.store.bell()
        await idle.arm(LASTING)
        await harness.store.end_leases_of_the_gone(frozenset({sign}))
        await asyncio.wait_for(idle.rung(), PATIENCE)
        await idle.aclose()

    async def test_a_sign_that_is_missed_first_ends_nothing(self, harness: StoreHarness, bell: Bell) -> None:
        """One look is not enough: a session may have broken that is opened anew."""
        sign = await sign_of(bell)
        await claim_under(harness, sign)
        await bell.aclose()
        assert await harness.store.end_leases_of_the_gone(frozenset()) == Absence(frozenset({sign}))
        assert await claim(harness.store) == ()

    async def test_a_sign_that_is_there_keeps_its_leases(self, harness: StoreHarness, bell: Bell) -> None:
        """Whoever opens its session anew in time loses nothing, and neither does its neighbour."""
        store, sign = harness.store, await sign_of(bell)
        await claim_under(harness, sign)
        assert await store.end_leases_of_the_gone(frozenset({sign})) == Absence(frozenset())
        await bell.aclose()
        assert await sign_of(bell) == sign
        gone = store.bell()
        missed = {sign, await sign_of(gone)}
        await gone.aclose()
        assert (await store.end_leases_of_the_gone(frozenset(missed))).ended == 0
        assert await claim(store) == ()

    async def test_an_unsigned_claim_is_left_to_its_lease(self, harness: StoreHarness, bell: Bell) -> None:
        """Where a worker cannot show a sign, its lease alone counts."""
        sign = await sign_of(bell)
        await claim_under(harness, None)
        await bell.aclose()
        assert (await harness.store.end_leases_of_the_gone(frozenset({sign}))).ended == 0
        assert await claim(harness.store) == ()
        await harness.age(LEASE)
        assert (await claim_one(harness.store)).number == 2

    async def test_a_renewal_changes_the_sign(self, harness: StoreHarness, bell: Bell) -> None:
        """Who lost its sign makes its claims safe by renewing them without one, and signs them again when it can."""
        store, sign = harness.store, await sign_of(bell)
        lost = await claim_under(harness, sign)
        assert await store.renew([lost.held], LEASE, None) == frozenset()
        await bell.aclose()
        assert (await store.end_leases_of_the_gone(frozenset({sign}))).ended == 0
        assert await sign_of(bell) == sign
        assert await store.renew([lost.held], LEASE, sign) == frozenset()
        await bell.aclose()
        assert (await store.end_leases_of_the_gone(frozenset({sign}))).ended == 1

    async def test_a_sign_without_leases_is_forgotten(self, harness: StoreHarness, bell: Bell) -> None:
        """Who is gone is looked for until all that it held is free; a sign that is taken again is looked for again."""
        store, sign = harness.store, await sign_of(bell)
        await claim_under(harness, sign)
        await bell.aclose()
        missed = frozenset({sign})
        looks = [await store.end_leases_of_the_gone(missed) for _ in range(3)]
        assert looks == [Absence(missed, 1), Absence(missed), Absence(frozenset())]
        await sign_of(bell)
        await bell.aclose()
        assert (await store.end_leases_of_the_gone(frozenset())).missing == missed
