"""Octets as a source of choices, so that any input means something and a small change to it is a small change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Octets:
    """Choices are taken from the front; where nothing is left, each is the first one."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def left(self) -> bool:
        """Whether there is more."""
        return self._at < len(self._octets)

    def number(self, below: int) -> int:
        """A number from 0 to ``below`` - 1, at most 256 of them."""
        return (self.take(1) or b"\0")[0] % below

    def chance(self) -> bool:
        """Yes or no."""
        return bool(self.number(2))

    def choice(self, among: Sequence[T]) -> T:
        """One of these."""
        return among[self.number(len(among))]

    def take(self, number: int) -> bytes:
        """At most so many octets."""
        taken = self._octets[self._at : self._at + number]
        self._at += number
        return taken

    def some(self, most: int = 255) -> bytes:
        """Octets, as many as the next one says."""
        return self.take(self.number(most + 1))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._octets))

    def text(self, most: int = 255) -> str:
        """Text of any kind: what is no UTF-8 is a lone surrogate."""
        return self.some(most).decode("utf-8", "surrogateescape")
