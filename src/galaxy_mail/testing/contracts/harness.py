"""What the store contracts ask of a store besides the port: to let time pass, and to look where the port does not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import pytest

from galaxy_mail.domain.ports import Store

CONTENDERS = 8
"""How many callers a contract lets loose on a store at once. Each may hold a transaction open."""


class StoreHarness(Protocol):
    """A fresh, empty store, and the hands of a test on it. One for each test; ``aclose`` ends it.

    ``tick`` is the shortest time that the harness can tell apart: a store whose clock stands still unless it is moved has
    an exact one (1 ms is asked for), a store on a running clock a generous one, longer than any test takes. No contract
    asks for less than ``tick`` or for a tick of more than two minutes.
    """

    @property
    def store(self) -> Store[Any]:
        """The store under test."""
        ...

    @property
    def tick(self) -> timedelta:
        """The shortest time that matters."""
        ...

    async def now(self) -> datetime:
        """The store's own idea of this instant."""
        ...

    async def age(self, by: timedelta) -> None:
        """Let ``by`` pass for everything stored: move the store's clock on, or all stored instants back."""
        ...

    def unusable_transactions(self) -> AbstractAsyncContextManager[Mapping[str, Any]]:
        """Things to pass as ``within=`` that are not an open transaction of this store, each by a name that says why."""
        ...

    async def secrets_of(self, delivery_id: UUID) -> object | None:
        """What is stored of a delivery's secrets and of their digest; None once both are gone."""
        ...

    async def corrupt(self, delivery_id: UUID) -> None:
        """Spoil the stored mail, so that it cannot be read back."""
        ...

    async def leased_count(self) -> int:
        """How many deliveries hold a token."""
        ...

    async def aclose(self) -> None:
        """Assert that nothing has leaked (an open transaction, a connection that was not given back), and clear up."""
        ...


class StoreContract:
    """What the three suites of a store share. Override ``harness`` with an async fixture that ends with ``aclose``.

    .. code-block:: python

        class TestMyQueue(QueueContract):
            @pytest.fixture
            async def harness(self) -> AsyncIterator[StoreHarness]:
                harness = await MyHarness.open()
                yield harness
                await harness.aclose()
    """

    @pytest.fixture
    def harness(self) -> StoreHarness:
        """The store under test, and the hands on it."""
        raise NotImplementedError
