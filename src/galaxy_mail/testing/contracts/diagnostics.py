"""The laws of the Diagnostics port."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import pytest

from galaxy_mail.domain.health import Untold
from galaxy_mail.domain.operator_ports import Diagnostics
from galaxy_mail.testing.contracts.harness import StoreHarness
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    NO_SUCH_USER,
    RETRY,
    claim,
    claim_one,
    new_delivery,
    settle,
)

MOMENT = timedelta(minutes=5)
"""Longer than a test takes, shorter than what it lets pass."""


class DiagnosticsHarness(StoreHarness, Protocol):
    """A fresh store, the hands of a test on it, and the diagnostics of its database."""

    @property
    def diagnostics(self) -> Diagnostics:
        """The diagnostics under test."""
        ...


@pytest.mark.asyncio
class DiagnosticsContract:
    """What a doctor may rely on. Override ``harness`` with an async fixture that ends with ``aclose``."""

    @pytest.fixture
    def harness(self) -> DiagnosticsHarness:
        """The diagnostics under test, and the store that they are of."""
        raise NotImplementedError

    async def test_a_sound_schema_passes(self, harness: DiagnosticsHarness) -> None:
        """A fresh store is what this release needs."""
        await harness.diagnostics.check_schema()
        assert await harness.store.audit(limit=1) == ()

    async def test_the_stores_own_clock_is_told(self, harness: DiagnosticsHarness) -> None:
        """Aware, and between two looks at the clock that decides what is due."""
        before: datetime = await harness.now()
        told = await harness.diagnostics.now()
        assert before <= told <= await harness.now()
        assert told.utcoffset() is not None

    async def test_the_longest_wait_is_told(self, harness: DiagnosticsHarness) -> None:
        """Of what is due and free, in whatever lane; not of what is planned, held or done."""
        store, ask = harness.store, harness.diagnostics.oldest_due
        assert await ask() is None
        await store.enqueue(new_delivery(send_at=await harness.now() + 10 * RETRY))
        await store.enqueue(new_delivery())
        await settle(store, await claim_one(store), ACCEPTED)
        assert await ask() is None
        await store.enqueue(new_delivery())
        await harness.age(2 * RETRY)
        await store.enqueue(new_delivery())
        waited = await ask()
        assert waited is not None
        assert abs(waited - 2 * RETRY) < MOMENT
        await claim(store)
        assert await ask() is None

    async def test_untold_ends_are_counted(self, harness: DiagnosticsHarness) -> None:
        """Since the first one came; none once they were told."""
        store = harness.store
        assert await harness.diagnostics.untold() == Untold(0, None)
        for _ in range(2):
            await store.enqueue(new_delivery())
            await settle(store, await claim_one(store), NO_SUCH_USER)
            await harness.age(RETRY)
        untold = await harness.diagnostics.untold()
        assert untold.number == 2
        assert untold.oldest is not None
        assert abs(untold.oldest - 2 * RETRY) < MOMENT
        await store.mark_told(await store.take_notices(10, RETRY))
        assert await harness.diagnostics.untold() == Untold(0, None)

    async def test_every_table_is_told_of(self, harness: DiagnosticsHarness) -> None:
        """By name, each once; what is counted is an estimate and never negative."""
        tables = await harness.diagnostics.tables()
        names = [each.table for each in tables]
        assert names
        assert names == sorted(set(names))
        assert all(each.live >= 0 and each.dead >= 0 for each in tables)

    async def test_the_oldest_transaction_is_told(self, harness: DiagnosticsHarness) -> None:
        """While it is open, with a name to find its owner by."""
        async with harness.store.transaction() as transaction:
            await harness.store.enqueue(new_delivery(), within=transaction)
            oldest = (await harness.diagnostics.transactions()).oldest
            assert oldest is not None
            assert oldest.age >= timedelta(0)
            assert oldest.held_by
        after = (await harness.diagnostics.transactions()).oldest
        assert after is None or after.pid != oldest.pid
