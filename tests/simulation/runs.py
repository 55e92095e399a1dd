"""Running worlds: one for a report, many for a count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from tests.simulation.audit import broken
from tests.simulation.world import World


@attrs.frozen
class Run:
    """How a seed's world ended, and its story."""

    seed: int
    problems: tuple[str, ...]
    story: str = attrs.field(repr=False)

    def __str__(self) -> str:
        found = "\n".join(f"  {problem}" for problem in self.problems) or "  no invariant is broken"
        again = f"again: python -m tests.simulation --seed {self.seed}"
        return f"seed {self.seed}\n{self.story}\n{found}\n{again}"


def run(seed: int) -> Run:
    """Live through the world of a seed: the same each time."""
    world = World(seed)
    books = world.run()
    story = "\n".join(world.timeline.lines())  # which gives the mails their names
    return Run(seed, tuple(world.timeline.named(problem) for problem in broken(books)), story)


def failures(seeds: Iterable[int]) -> Iterator[int]:
    """The seeds whose worlds break an invariant."""
    return (seed for seed in seeds if broken(World(seed).run()))
