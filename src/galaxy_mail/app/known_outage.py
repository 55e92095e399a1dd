"""What one worker knows of one outage: what the store says of it, and what its own probes have told."""

from __future__ import annotations

import math

import attrs

from galaxy_mail.domain.outages import Outage, named
from galaxy_mail.domain.verdicts import Blame


@attrs.define
class Known:
    """An outage as this worker knows it. ``outage`` is None until the store has it; times are those of its own clock.

    What began after ``tried_at`` was a probe of ours, since all others are put off. However late it ends, it tells: a success
    ends the outage, and so many failures since the last trip are one.

    It is ours ``alone`` if others have refuted it: this worker has trouble with its own network, clock or certificates, and
    theirs must not suffer from it.
    """

    scope: str
    blame: Blame
    trips: int
    probe_at: float
    outage: Outage | None = None
    tried_at: float = math.inf  # the first probe
    tripped_at: float = -math.inf  # the last trip since then
    found: bool = False  # the last trip was ours
    alone: bool = False

    def is_told_by(self, began: float) -> bool:
        """Whether a failure of what began then is a trip more."""
        return began >= max(self.tried_at, self.tripped_at)

    @property
    def name(self) -> str:
        """What cannot be used, in words."""
        return named(self.scope)
