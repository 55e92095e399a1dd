"""Ids and dice from the operating system."""

from __future__ import annotations

import random
import secrets
import time
from uuid import UUID

from galaxy_mail.adapters.entropy.uuid7 import RANDOM_BITS, uuid7


class SystemEntropy:
    """The Entropy of production. Ids come from the kernel's randomness, so a fork repeats none.

    The ids of one instance only ever grow, also within a millisecond and when the wall clock is set back: then the last
    one is increased by a random amount (RFC 9562 section 6.2, method 2).
    """

    def __init__(self) -> None:
        self._last = 0  # time and random bits of the last id, as one number

    def delivery_id(self) -> UUID:
        """A new UUIDv7, greater than those before."""
        fresh = (time.time_ns() // 1_000_000) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
        self._last = max(fresh, self._last + 1 + secrets.randbits(32))
        return uuid7(self._last >> RANDOM_BITS, self._last & (1 << RANDOM_BITS) - 1)

    def dice(self) -> float:
        """A number in ``[0, 1)``; it spreads retries and needs no cryptography."""
        return random.random()
