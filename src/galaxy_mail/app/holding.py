"""A claim in a worker's hands, and how far it may be trusted (see ``domain.leases``)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import Enum, auto

from galaxy_mail.app.sign_of_life import SignOfLife
from galaxy_mail.domain.leases import Claim, Sign
from galaxy_mail.domain.ports import Clock
from galaxy_mail.domain.verdicts import Fault


class Progress(Enum):
    """How far the work on a claim has come. It only goes forward, and from ``WITHDRAWN`` never to ``BEGUN``."""

    UNTOUCHED = auto()
    WITHDRAWN = auto()  # its body will not begin any more
    BEGUN = auto()  # its body may have begun: only a reply ends it now
    SETTLING = auto()  # its settlement is on its way


class Holding:
    """Local knowledge about one claim: how old it is, whether it is still ours, and how far its work has come.

    ``asked`` is this clock's time *before* the store was asked for the claim, so every judgement errs on the safe side: the
    lease ends here no later than there, and so does the mail's validity.
    """

    def __init__(
        self, claim: Claim, asked: float, lease: timedelta, clock: Clock, life: SignOfLife, sign: Sign | None
    ) -> None:
        self.claim = claim
        self.sign = sign
        self.task: asyncio.Task[None] | None = None
        self.progress = Progress.UNTOUCHED
        self._asked = asked
        self._clock = clock
        self._life = life
        self.renewed(asked, lease, sign)

    def renewed(self, asked: float, lease: timedelta, sign: Sign | None) -> None:
        """The store extended the lease, having been asked at ``asked``, and wrote ``sign`` onto the claim."""
        self._trusted_until = asked + lease.total_seconds()
        self.sign = sign

    @property
    def trusted(self) -> bool:
        """Whether the claim is certainly held still."""
        return self._clock.monotonic() < self._trusted_until and self._life.covers(self.sign)

    async def until_trusted(self) -> None:
        """Return once it is trusted: a renewal brings that back, or the sign of life. One that is lost is withdrawn instead."""
        while not self.trusted:
            await self._clock.sleep(self._life.pause)

    def withdraw(self) -> bool:
        """Keep the body from beginning; False if it may have begun."""
        if self.progress is not Progress.UNTOUCHED:
            return False
        self.progress = Progress.WITHDRAWN
        if self.task is not None:
            self.task.cancel()
        return True

    @property
    def elapsed(self) -> timedelta:
        """Time since the claim was asked for."""
        return timedelta(seconds=self._clock.monotonic() - self._asked)

    def gate(self) -> Fault | None:
        """The ``Gate`` of its transaction: passed once, right before the body."""
        if self.progress is not Progress.UNTOUCHED or not self.trusted:
            return Fault.CLAIM_LOST
        if self.claim.expires_in is not None and self.elapsed >= self.claim.expires_in:
            return Fault.EXPIRED
        self.progress = Progress.BEGUN
        return None

    def hand_over(self) -> None:
        """Its settlement goes to the settler now."""
        self.progress = Progress.SETTLING
