from __future__ import annotations

import time
from itertools import pairwise

import pytest

from galaxy_mail.adapters.entropy.system import SystemEntropy
from galaxy_mail.domain.ports import Entropy
from galaxy_mail.testing.contracts.entropy import EntropyContract


class TestSystemEntropy(EntropyContract):
    @pytest.fixture
    def entropy(self) -> Entropy:
        """The operating system's."""
        return SystemEntropy()


def test_ids_only_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each id is greater than the one before: within a millisecond, and when the wall clock is set back by an hour."""
    clock = iter([2_000_000_000_000_000_000] * 500 + [1_999_996_400_000_000_000] * 500)
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    entropy = SystemEntropy()
    ids = [entropy.delivery_id() for _ in range(1_000)]
    assert all(earlier < later for earlier, later in pairwise(ids))


def test_an_id_carries_the_time_it_was_made() -> None:
    """The first 48 bits are the Unix time in milliseconds."""
    before = time.time_ns() // 1_000_000
    made = SystemEntropy().delivery_id()
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_two_processes_share_no_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sources in the same millisecond draw different ids."""
    monkeypatch.setattr(time, "time_ns", lambda: 2_000_000_000_000_000_000)
    assert SystemEntropy().delivery_id() != SystemEntropy().delivery_id()
