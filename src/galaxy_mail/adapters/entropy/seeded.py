"""Ids and dice that a test can have again."""

from __future__ import annotations

from random import Random
from uuid import UUID

from galaxy_mail.adapters.entropy.uuid7 import RANDOM_BITS, uuid7

_START = 1_767_225_600_000  # 2026-01-01T00:00:00Z


class SeededEntropy:
    """The Entropy of tests and simulations: the same seed, the same ids and dice, in the same order.

    Each kind has a stream of its own, so that one more id leaves the dice as they were. Its ids are a millisecond apart.
    """

    def __init__(self, seed: int) -> None:
        self._ids, self._dice = (Random(f"{seed}/{kind}") for kind in ("ids", "dice"))
        self._milliseconds = _START

    def delivery_id(self) -> UUID:
        """The next UUIDv7."""
        self._milliseconds += 1
        return uuid7(self._milliseconds, self._ids.getrandbits(RANDOM_BITS))

    def dice(self) -> float:
        """The next number in ``[0, 1)``."""
        return self._dice.random()
