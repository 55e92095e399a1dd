"""From an input to one that is a little different."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

LONGEST = 4096


class Mutator:
    """Changes inputs as ``dice`` fall; ``words`` are pieces that the target is likely to understand."""

    def __init__(self, dice: Random, words: Sequence[bytes]) -> None:
        self._dice = dice
        self._words = words or (b"\0",)
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._set, self._insert, self._insert, self._overwrite, self._remove, self._repeat, self._extend,
        )  # fmt: skip

    def mutate(self, octets: bytes, other: bytes) -> bytes:
        """``octets`` changed once or a few times, now and then joined with a part of ``other``."""
        if self._dice.random() < 0.1:
            octets = octets[: self._place(octets)] + other[self._place(other) :]
        for _ in range(self._dice.choice((1, 1, 1, 2, 4, 8))):
            octets = self._dice.choice(self._ways)(octets)
        return octets[:LONGEST]

    def _place(self, octets: bytes) -> int:
        return self._dice.randint(0, len(octets))

    def _span(self, octets: bytes) -> tuple[int, int]:
        start = self._place(octets)
        return start, min(len(octets), start + self._dice.choice((1, 1, 2, 4, 16, 64)))

    def _flip(self, octets: bytes) -> bytes:
        if not octets:
            return self._insert(octets)
        at = self._dice.randrange(len(octets))
        return octets[:at] + bytes((octets[at] ^ 1 << self._dice.randrange(8),)) + octets[at + 1 :]

    def _set(self, octets: bytes) -> bytes:
        at = self._place(octets)
        return octets[:at] + bytes((self._dice.randrange(256),)) + octets[at + 1 :]

    def _insert(self, octets: bytes) -> bytes:
        at = self._place(octets)
        return octets[:at] + self._dice.choice(self._words) + octets[at:]

    def _overwrite(self, octets: bytes) -> bytes:
        at, word = self._place(octets), self._dice.choice(self._words)
        return octets[:at] + word + octets[at + len(word) :]

    def _remove(self, octets: bytes) -> bytes:
        start, end = self._span(octets)
        return octets[:start] + octets[end:]

    def _repeat(self, octets: bytes) -> bytes:
        start, end = self._span(octets)
        return octets[:end] + octets[start:end] * self._dice.choice((1, 1, 2, 8)) + octets[end:]

    def _extend(self, octets: bytes) -> bytes:
        return octets + self._dice.randbytes(self._dice.choice((1, 2, 8, 32)))
