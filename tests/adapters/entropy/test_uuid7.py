from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.entropy.uuid7 import RANDOM_BITS, uuid7

TIMES = st.integers(0, (1 << 48) - 1)
BITS = st.integers(0, (1 << RANDOM_BITS) - 1)


@given(milliseconds=TIMES, bits=BITS)
def test_its_fields_are_those_of_the_rfc(milliseconds: int, bits: int) -> None:
    """Time, version, variant and all random bits stand where RFC 9562 section 5.7 puts them."""
    made = uuid7(milliseconds, bits)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert int.from_bytes(made.bytes[:6]) == milliseconds
    rand_a, rand_b = int.from_bytes(made.bytes[6:8]) & 0xFFF, int.from_bytes(made.bytes[8:]) & (1 << 62) - 1
    assert rand_a << 62 | rand_b == bits


@given(earlier=st.tuples(TIMES, BITS), later=st.tuples(TIMES, BITS))
def test_ids_sort_by_time_then_by_their_random_bits(earlier: tuple[int, int], later: tuple[int, int]) -> None:
    """The order of ids is the order of (time, random bits)."""
    assert (uuid7(*earlier) < uuid7(*later)) == (earlier < later)


def test_the_example_of_the_rfc() -> None:
    """The test vector of RFC 9562, appendix A.6."""
    rand_a, rand_b = 0xCC3, 0x18C4DC0C0C07398F
    assert uuid7(0x017F22E279B0, rand_a << 62 | rand_b) == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
