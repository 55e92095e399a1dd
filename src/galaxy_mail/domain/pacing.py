"""How many mails at once: all that the connections carry, but few after an outage, and fewer where the relay asks for it.

It is TCP's congestion control (RFC 5681 section 3.1): after an outage one, then twofold with each round of mails that went
through; halved when the relay wants us slower, and from there one more with each round.
"""

from __future__ import annotations

from typing import Self

import attrs


@attrs.frozen
class Width:
    """``now`` is how many may be under way, from 1 to ``most``. Up to ``brisk_until`` it doubles, beyond it grows by one."""

    most: int
    now: int = attrs.field()
    brisk_until: int = attrs.field()
    worked: int = 0  # of the round under way

    @now.default
    def _full(self) -> int:
        return self.most

    @brisk_until.default
    def _always_brisk(self) -> int:
        return self.most

    def after_success(self) -> Self:
        """One more went through."""
        if self.now == self.most:
            return self
        if self.worked + 1 < self.now:
            return attrs.evolve(self, worked=self.worked + 1)
        grown = min(2 * self.now, self.brisk_until) if self.now < self.brisk_until else self.now + 1
        return attrs.evolve(self, now=min(grown, self.most), worked=0)

    def after_throttle(self) -> Self:
        """The relay wants us slower."""
        half = max(1, self.now // 2)
        return attrs.evolve(self, now=half, brisk_until=half, worked=0)

    def after_outage(self) -> Self:
        """Begin anew."""
        return attrs.evolve(self, now=1, brisk_until=self.most, worked=0)
