from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.entropy.seeded import SeededEntropy
from galaxy_mail.domain.ports import Entropy
from galaxy_mail.testing.contracts.entropy import EntropyContract

SEEDS = st.integers()


class TestSeededEntropy(EntropyContract):
    @pytest.fixture
    def entropy(self) -> Entropy:
        """A seeded one."""
        return SeededEntropy(7)


def draw(entropy: SeededEntropy) -> tuple[object, ...]:
    """Some of everything."""
    return tuple((entropy.delivery_id(), entropy.dice()) for _ in range(5))


@given(seed=SEEDS)
def test_the_same_seed_draws_the_same(seed: int) -> None:
    """A run can be had again from its seed."""
    assert draw(SeededEntropy(seed)) == draw(SeededEntropy(seed))


@given(seeds=st.lists(SEEDS, min_size=2, max_size=2, unique=True))
def test_another_seed_draws_others(seeds: list[int]) -> None:
    """Two seeds do not share a run."""
    one, other = map(SeededEntropy, seeds)
    assert (one.delivery_id(), one.dice()) != (other.delivery_id(), other.dice())


@given(seed=SEEDS, ids=st.integers(0, 5))
def test_one_kind_of_draw_leaves_the_others_as_they_were(seed: int, ids: int) -> None:
    """The dice of a run do not depend on how many ids were drawn."""
    entropy = SeededEntropy(seed)
    for _ in range(ids):
        entropy.delivery_id()
    assert entropy.dice() == SeededEntropy(seed).dice()


def test_ids_grow() -> None:
    """Ids sort in the order in which they were drawn, as in production."""
    entropy = SeededEntropy(7)
    assert all(earlier < later for earlier, later in pairwise([entropy.delivery_id() for _ in range(100)]))
