"""The simulation has teeth: every planted bug is found, by the invariant that is there for it."""

from __future__ import annotations

import pytest

from tests.simulation.planted import PLANTS, Plant
from tests.simulation.world import World

SEEDS = 150  # within which each is found


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_planted_bug_is_found(plant: Plant) -> None:
    """Some world among the first ones breaks the invariant that forbids this bug."""
    with plant.patch():
        found = any(_finds(plant, World(seed)) for seed in range(SEEDS))
    assert found, plant.what


def _finds(plant: Plant, world: World) -> bool:
    books = world.run()
    return any(True for invariant in plant.found_by for _ in invariant(books))
