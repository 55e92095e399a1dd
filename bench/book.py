"""What was measured: samples by key, what failed, what is to be known about it."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import attrs

from bench.keys import KEYS, nested

PEER = "peers."


@attrs.frozen
class Spread:
    """The median of a few repetitions, and how far they were apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        return cls(statistics.median(samples), min(samples), max(samples))


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least ``share`` of them do not exceed."""
    ranked = sorted(samples)
    return ranked[max(0, -(-int(share * len(ranked) * 1000) // 1000) - 1)]


@attrs.define
class Book:
    """Filled by the measures. What is not in it is null in the JSON, and makes the exit code 1."""

    samples: dict[str, list[float]] = attrs.field(factory=dict)
    failures: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    began: float = attrs.field(factory=time.monotonic)

    def add(self, key: str, value: float) -> None:
        self.samples.setdefault(key, []).append(value)
        self.say(f"{key} {value:,.4g}")

    def fail(self, what: str, why: object) -> None:
        self.failures.append(f"{what}: {why}")
        self.say(f"FAILED {what}: {why}")

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            self.say(text)

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", file=sys.stderr, flush=True)

    @contextmanager
    def watched(self, what: str) -> Iterator[None]:
        """A step whose failure is noted, and ends nothing but that step."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the other figures are worth having
            self.fail(what, f"{type(error).__name__}: {error}")
        except BaseExceptionGroup as group:
            self.fail(what, group.exceptions[0])

    def spread(self, key: str) -> Spread | None:
        return Spread.of(self.samples[key]) if self.samples.get(key) else None

    def peers(self) -> dict[str, Spread | None]:
        return {key.removeprefix(PEER): self.spread(key) for key in self.samples if key.startswith(PEER)}

    def complete(self) -> bool:
        """Whether every key has its samples and nothing failed."""
        return not self.failures and all(self.spread(key.name) or key.name == "peers" for key in KEYS)

    def json(self) -> dict[str, object]:
        values = {key.name: _short(self.spread(key.name)) for key in KEYS}
        return nested(values, {name: _short(spread) for name, spread in self.peers().items()})


def _short(spread: Spread | None) -> float | None:
    """The median to four digits: more would be noise."""
    if spread is None:
        return None
    value = float(f"{spread.median:.4g}")
    return int(value) if value.is_integer() else value
