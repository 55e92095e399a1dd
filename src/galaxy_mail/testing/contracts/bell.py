"""The laws of the Bell port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from galaxy_mail.domain.ports import Store
from galaxy_mail.domain.worker_ports import Bell
from galaxy_mail.testing.contracts.orders import new_delivery

LASTING = timedelta(minutes=1)
PATIENCE = 30.0  # seconds; only a bell that does not ring needs them


class ChangedMind(Exception):
    """What a caller raises to roll its transaction back."""


@pytest.mark.asyncio
class BellContract:
    """What every Bell that rings does. Override ``store``."""

    @pytest.fixture
    def store(self) -> Store[Any]:
        """A fresh store."""
        raise NotImplementedError

    @pytest.fixture
    async def bell(self, store: Store[Any]) -> AsyncIterator[Bell]:
        """Its bell, closed in the end."""
        bell = store.bell()
        yield bell
        await bell.aclose()

    async def test_a_commit_rings_an_armed_bell(self, store: Store[Any], bell: Bell) -> None:
        """Who waits is woken by the commit, and not by the enqueue before it."""
        await bell.arm(LASTING)
        assert bell.rings
        waiting = asyncio.ensure_future(bell.rung())
        async with store.transaction() as transaction:
            await store.enqueue(new_delivery(), within=transaction)
            assert not waiting.done()
        await asyncio.wait_for(waiting, PATIENCE)

    async def test_a_rollback_does_not_ring(self, store: Store[Any], bell: Bell) -> None:
        """Nothing is heard of a mail that never was: the next ring is that of the next commit."""
        await bell.arm(LASTING)
        with pytest.raises(ChangedMind):
            await _enqueue_and_change_mind(store)
        waiting = asyncio.ensure_future(bell.rung())
        await store.stats()
        assert not waiting.done()
        await store.enqueue(new_delivery())
        await asyncio.wait_for(waiting, PATIENCE)

    async def test_a_ring_before_the_wait_is_not_lost(self, store: Store[Any], bell: Bell) -> None:
        """Between arming and waiting there is no gap."""
        await bell.arm(LASTING)
        await store.enqueue(new_delivery())
        await asyncio.wait_for(bell.rung(), PATIENCE)

    async def test_many_rings_are_one(self, store: Store[Any], bell: Bell) -> None:
        """After a burst has been heard there is silence, until the next commit."""
        await bell.arm(LASTING)
        async with store.transaction() as transaction:
            for _ in range(10):
                await store.enqueue(new_delivery(), within=transaction)
        await asyncio.wait_for(bell.rung(), PATIENCE)
        waiting = asyncio.ensure_future(bell.rung())
        await store.stats()
        assert not waiting.done()
        waiting.cancel()

    async def test_a_closed_bell_is_silent(self, store: Store[Any], bell: Bell) -> None:
        """It gives back what it holds, may be closed twice, and is not heard any more."""
        await bell.arm(LASTING)
        await bell.aclose()
        await bell.aclose()
        await store.enqueue(new_delivery())
        waiting = asyncio.ensure_future(bell.rung())
        await store.stats()
        assert not waiting.done()
        waiting.cancel()


async def _enqueue_and_change_mind(store: Store[Any]) -> None:
    async with store.transaction() as transaction:
        await store.enqueue(new_delivery(), within=transaction)
        raise ChangedMind
