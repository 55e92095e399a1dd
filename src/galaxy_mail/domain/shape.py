"""The shape of what waits: how many recipients, since when, and at which domain; so that one sees at a glance what is stuck."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce

import attrs

AGES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(days=1),
)
"""Where one bucket of ages ends and the next begins; the last one has no end."""


def bucket(age: timedelta) -> int:
    """The bucket of an age, from 0 (younger than all of ``AGES``) to ``len(AGES)``."""
    return sum(age >= end for end in AGES)


@attrs.frozen
class LastWord:
    """What was last said about a recipient, or befell its attempt where no server spoke of it: then ``fault`` tells what."""

    at: datetime
    stage: str
    blame: str
    code: int | None
    fault: str | None
    detail: str


@attrs.frozen
class Waiting:
    """How many open recipients wait, by the bucket of their delivery's age, and the age of the oldest."""

    counts: tuple[int, ...] = (0,) * (len(AGES) + 1)
    oldest: timedelta = timedelta(0)

    @property
    def number(self) -> int:
        """All of them."""
        return sum(self.counts)

    def joined(self, age: timedelta, number: int = 1) -> Waiting:
        """With ``number`` more of one bucket, the oldest of them of this ``age``."""
        counts = list(self.counts)
        counts[bucket(age)] += number
        return Waiting(tuple(counts), max(self.oldest, age))

    @classmethod
    def of(cls, ages: list[timedelta]) -> Waiting:
        """One for each age."""
        return reduce(cls.joined, ages, cls())


@attrs.frozen
class DomainWaiting:
    """Who waits at one domain, and the last word about whoever was tried last there; None if nobody was."""

    domain: str
    waiting: Waiting
    last: LastWord | None = None


@attrs.frozen
class Shape:
    """All that waits, and the domains where most do, those with most first.

    Where a lane has more than ``looked_at`` deliveries that live, only so many were looked at: those that are due first.
    """

    total: Waiting
    domains: tuple[DomainWaiting, ...]
    looked_at: int
    complete: bool
