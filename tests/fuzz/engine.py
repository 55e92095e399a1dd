"""The loop: change an input that is known to reach something, run it, keep it if it reaches something new."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from random import Random

import attrs

from tests.fuzz.coverage import OURS, Arc, Arcs, sizes, watching
from tests.fuzz.mutation import Mutator

SHRINKS = 500  # tries to make a failing input smaller


@attrs.frozen
class Target:
    """What is fuzzed: ``run`` raises if a law is broken, by whatever these octets stand for."""

    name: str
    run: Callable[[bytes], None]
    words: Sequence[bytes] = attrs.field(factory=tuple, repr=False)
    seeds: Sequence[bytes] = attrs.field(factory=tuple, repr=False)
    code: str = attrs.field(default=OURS, repr=False)  # the files whose arcs guide


@attrs.define
class Hunt:
    """What came of it."""

    runs: int = 0
    seconds: float = 0.0
    arcs: int = 0
    kept: list[bytes] = attrs.field(factory=list, repr=False)
    found: bytes | None = None
    error: Exception | None = None


def hunt(
    target: Target,
    seed: int,
    *,
    runs: int | None = None,
    seconds: float | None = None,
    corpus: Iterable[bytes] = (),
    guided: bool = True,
) -> Hunt:
    """Run until so many runs, or so many seconds, are over, or an input is found that breaks a law.

    The same seed, corpus and number of runs do the same again on the same Python. Unguided, it changes the first inputs only.
    """
    dice, told = Random(seed), Hunt()
    mutator = Mutator(dice, target.words)
    waiting = [b"", *target.seeds, *corpus]
    arcs, seen = Arcs(), set[tuple[Arc, int]]()
    begun = time.monotonic()
    with watching(arcs, target.code) as forget:
        while told.error is None and _goes_on(told, runs, seconds, begun):
            octets = (
                waiting.pop() if waiting else mutator.mutate(dice.choice(told.kept), dice.choice(told.kept))
            )
            forget()
            told.error = outcome(target, octets)
            told.runs += 1
            new = sizes(arcs) - seen
            if told.error is not None:
                told.found = octets
            elif not told.kept or (new and (guided or waiting)):
                told.kept.append(octets)
            seen |= new
    told.seconds = time.monotonic() - begun
    told.arcs = len({arc for arc, _ in seen})
    if told.found is not None:
        told.found = shrunk(target, told.found, dice)
    return told


def _goes_on(told: Hunt, runs: int | None, seconds: float | None, begun: float) -> bool:
    if runs is not None:
        return told.runs < runs
    return seconds is None or time.monotonic() - begun < seconds


def outcome(target: Target, octets: bytes) -> Exception | None:
    """What the target raises for these octets."""
    try:
        target.run(octets)
    except Exception as error:  # noqa: BLE001 - whatever is raised is what was looked for
        return error
    return None


def shrunk(target: Target, octets: bytes, dice: Random) -> bytes:
    """A smaller input that fails in the same way."""
    kind = type(outcome(target, octets))
    for _ in range(SHRINKS):
        start = dice.randint(0, len(octets))
        smaller = octets[:start] + octets[start + dice.choice((1, 1, 2, 4, 16, 64)) :]
        if len(smaller) < len(octets) and type(outcome(target, smaller)) is kind:
            octets = smaller
    return octets
