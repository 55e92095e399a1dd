"""The bell in memory rings as its port says."""

from __future__ import annotations

import pytest

from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.testing.contracts.bell import BellContract


class TestMemoryBell(BellContract):
    """Every law of a Bell."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        """A fresh store."""
        return MemoryStore()
