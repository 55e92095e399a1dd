"""When to leave the relay alone, and how to come back: the decisions of a circuit breaker (Nygard, "Release It!", 2007).

An outage has a scope: the relay, or one sender at it. While the relay's is open, workers claim nothing but what is overdue;
while a sender's is, its mails are put off. Neither leaves an attempt behind. When the cool-down is over, one worker makes a
probe with one mail. If the relay works again, the outage ends, and each worker begins anew with one mail at a time
(``pacing``); else the next cool-down is longer.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto
from uuid import UUID

import attrs

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.backoff import OUTAGE_BACKOFF, BackoffPolicy
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.verdicts import Blame, Breaker, Receipt, Stage, Verdict

REPEATS = timedelta(hours=1)
"""An outage that begins so soon after the end of the last one of its scope repeats it."""

LASTS = timedelta(minutes=10)
"""One that repeats another is told only if it lasts so long: a relay that limits our rate may have one each minute."""

RELAY = "relay"
"""The scope of an outage that concerns every mail. Any other scope is the address of a sender."""

_DOUBTS = (Blame.POLICY, Blame.MESSAGE)
_MUST_LOG_IN = 530  # RFC 4954 section 6: whoever the sender is
_ABOUT_SENDERS = (Stage.MAIL, Stage.RCPT)


class Sign(Enum):
    """What the end of a transaction says of the relay."""

    NOTHING = auto()  # it never came to that
    WORKS = auto()  # it took the mail, or answered for itself why not
    BUSY = auto()  # it works, and wants us slower
    FAILS = auto()  # once is weather
    DOUBTFUL = auto()  # this mail breaks a rule of its, or we do
    BROKEN = auto()  # for every mail, until a person acts


_SIGNS = {
    Breaker.RESET: Sign.WORKS,
    Breaker.SLOW: Sign.BUSY,
    Breaker.COUNT: Sign.FAILS,
    Breaker.CORRELATE: Sign.DOUBTFUL,
    Breaker.OPEN: Sign.BROKEN,
}


def sign_of(verdict: Verdict) -> Sign:
    """Read a verdict. Who refuses a recipient or a message, and says so, works."""
    if verdict.breaker is Breaker.NONE:
        spoken = verdict.code is not None and verdict.stage is not Stage.LOCAL
        return Sign.WORKS if spoken else Sign.NOTHING
    return _SIGNS[verdict.breaker]


def scope_of(verdict: Verdict, sender: EmailAddress) -> str:
    """Whose outage a verdict tells of: a sender's if the relay refuses that sender, else the relay's."""
    refused = verdict.breaker is Breaker.OPEN and verdict.stage in _ABOUT_SENDERS
    return str(sender) if refused and verdict.code != _MUST_LOG_IN else RELAY


def named(scope: str) -> str:
    """What cannot be used, in words."""
    return "the relay" if scope == RELAY else f"the sender {scope}"


def by_doubts(blame: Blame) -> bool:
    """Whether an outage with this blame began with many refusals of different mails by policy."""
    return blame in _DOUBTS


def excused(receipt: Receipt) -> Receipt:
    """The receipt of a mail whose refusal by policy is our doing, since many in a row met it: it may try again, unburned."""
    return attrs.evolve(receipt, verdicts=tuple(map(_excused, receipt.verdicts)))


def _excused(verdict: Verdict) -> Verdict:
    if verdict.breaker is not Breaker.CORRELATE:
        return verdict
    return attrs.evolve(
        verdict, outcome=AttemptOutcome.TRANSIENT_ERROR, blame=Blame.CONFIGURATION, burns_attempt=False
    )


@attrs.frozen
class BreakerPolicy:
    """When an outage begins, and how long it lasts at least."""

    # An outage begins with so many failures in a row.
    failures: int = 5
    # Or with refusals by policy, of so many mails in a row.
    doubts: int = 10
    # If each of them came no later than this after the one before.
    doubt_window: timedelta = timedelta(minutes=1)
    # How long until a probe may be made, and the next ones if it fails.
    cool_down: BackoffPolicy = OUTAGE_BACKOFF
    # What others have refuted a worker keeps to itself, for so many trips: it may be its own trouble.
    trips_alone: int = 8
    # A probe of which nothing was heard for so long is left to another worker.
    probe_hold: timedelta = timedelta(seconds=10)


@attrs.frozen
class Outage:
    """One that is open. ``trips`` counts how often in a row it was found so; ``blame`` is that of its beginning.

    Who names it with another number of trips than it has is not up to date.
    """

    outage_id: UUID
    scope: str
    trips: int
    probe_in: timedelta
    blame: Blame

    @property
    def key(self) -> tuple[UUID, int]:
        """Names it as it is."""
        return self.outage_id, self.trips


@attrs.frozen
class Streak:
    """Signs of trouble in a row, with nothing between them that works. ``doubted_at`` is in seconds of a monotonic clock."""

    failures: int = 0
    doubts: int = 0
    doubted_at: float = 0.0

    def after(self, sign: Sign, at: float, policy: BreakerPolicy) -> Streak:
        """The streak once ``sign`` was seen, ``at`` this time."""
        match sign:
            case Sign.NOTHING:
                return self
            case Sign.WORKS | Sign.BUSY:
                return Streak()
            case Sign.DOUBTFUL:
                stale = at - self.doubted_at > policy.doubt_window.total_seconds()
                return Streak(self.failures, 1 if stale else self.doubts + 1, at)
            case Sign.FAILS:
                return attrs.evolve(self, failures=self.failures + 1)
            case Sign.BROKEN:
                return self

    def doubtful(self, policy: BreakerPolicy) -> bool:
        """Whether so many refusals by policy must be our doing."""
        return self.doubts >= policy.doubts

    def broken(self, policy: BreakerPolicy) -> bool:
        """Whether it is an outage."""
        return self.failures >= policy.failures or self.doubtful(policy)
