"""A claim in a worker's hands, and how far it may be trusted (see ``domain.leases``)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from galaxy_mail.domain.leases import Claim
from galaxy_mail.domain.ports import Clock
from galaxy_mail.domain.verdicts import Fault


class Holding:
    """Local knowledge about one claim: how old it is, whether it is still ours, and how far its work has come.

    ``asked`` is this clock's time *before* the store was asked for the claim, so every judgement errs on the safe side: the
    lease ends here no later than there, and so does the mail's validity.
    """

    def __init__(self, claim: Claim, asked: float, lease: timedelta, clock: Clock) -> None:
        self.claim = claim
        self.task: asyncio.Task[None] | None = None
        self.finishing = (
            False  # its body may have begun, or its settlement is on its way: it is to be waited for
        )
        self.settling = False  # its settlement is on its way: it is no longer renewed
        self.withdrawn = False
        self._asked = asked
        self._clock = clock
        self.renewed(asked, lease)

    def renewed(self, asked: float, lease: timedelta) -> None:
        """The store extended the lease, having been asked at ``asked``."""
        self._trusted_until = asked + lease.total_seconds()

    def withdraw(self) -> None:
        """Keep the body from beginning, if it has not begun."""
        self.withdrawn = True

    @property
    def elapsed(self) -> timedelta:
        """Time since the claim was asked for."""
        return timedelta(seconds=self._clock.monotonic() - self._asked)

    def gate(self) -> Fault | None:
        """The ``Gate`` of its transaction: passed once, right before the body."""
        if self.withdrawn or self._clock.monotonic() >= self._trusted_until:
            return Fault.CLAIM_LOST
        if self.claim.expires_in is not None and self.elapsed >= self.claim.expires_in:
            return Fault.EXPIRED
        self.finishing = True
        return None

    def hand_over(self) -> None:
        """Its settlement goes to the settler now."""
        self.finishing = self.settling = True
