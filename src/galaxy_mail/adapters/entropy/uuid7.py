"""UUIDs of version 7: ids that sort by the time they were made, so that an index grows at its end (RFC 9562 section 5.7)."""

from __future__ import annotations

from uuid import UUID

RANDOM_BITS = 74
_B_BITS = 62


def uuid7(milliseconds: int, random_bits: int) -> UUID:
    """The UUID of a 48-bit Unix time in milliseconds and ``RANDOM_BITS`` random bits; it sorts by both, in this order."""
    a, b = random_bits >> _B_BITS, random_bits & (1 << _B_BITS) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | a << 64 | 0b10 << _B_BITS | b)
