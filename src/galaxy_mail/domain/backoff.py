"""How long to wait before the next attempt: exponential, capped, jittered; the dice are an argument.

The jitter spreads mails that failed together, so that they do not return together (Brooker, "Exponential Backoff and
Jitter", AWS Architecture Blog, 2015). It is applied after the cap: even the longest waits are spread.
"""

from __future__ import annotations

from datetime import timedelta

import attrs


@attrs.frozen
class BackoffPolicy:
    """``base × factor^(attempt-1)``, at most ``cap``, times a factor in ``[1-jitter, 1+jitter]``."""

    base: timedelta = timedelta(seconds=5)
    factor: float = 2.0
    cap: timedelta = timedelta(hours=1)
    jitter: float = 0.25

    def __attrs_post_init__(self) -> None:
        assert timedelta(0) < self.base <= self.cap, "0 < base <= cap"
        assert self.factor >= 1.0, "factor >= 1"
        assert 0.0 <= self.jitter < 1.0, "0 <= jitter < 1"

    def delay(self, attempt: int, dice: float) -> timedelta:
        """The wait after the ``attempt``-th failure (1, 2, 3 …), for dice in ``[0, 1)``; total for any attempt ≥ 1."""
        return self.middle(attempt) * (1.0 + self.jitter * (2.0 * dice - 1.0))

    def middle(self, attempt: int) -> timedelta:
        """The wait without jitter, for whoever waits alone."""
        assert attempt >= 1, "attempts are counted from 1"
        try:
            grown = self.base.total_seconds() * self.factor ** (attempt - 1)
        except OverflowError:
            return self.cap
        return min(self.cap, timedelta(seconds=min(grown, self.cap.total_seconds())))


OUTAGE_BACKOFF = BackoffPolicy(cap=timedelta(minutes=5))
"""While the relay or the network is away: a low cap lets mail move soon after they are back."""
