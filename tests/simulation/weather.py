"""What may go wrong in a world: drawn from the seed, each kind of trouble present or absent (swarm testing).

A world where everything goes wrong at once hides as much as one where nothing does. So each seed leaves some kinds of
trouble out altogether, and has much or little of the others. After ``calm_at`` the weather is fine, and what is not settled
then has to come to its end.
"""

from __future__ import annotations

from enum import Enum, auto
from random import Random

import attrs

from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage
from tests.simulation.words import OPENING, WORDS, Word

LONGEST_TRIP = 12.0  # seconds that a call to the store takes at most

_MISHAPS = (*OPENING, Stage.LOCAL, Stage.MAIL, Stage.DATA, Stage.BODY, *(9 * (Stage.DOT,)))

_SILENCES = (Fault.TIMEOUT, Fault.CLOSED)

Span = tuple[float, float]


class Fate(Enum):
    """What becomes of a call to the store."""

    DONE = auto()
    REFUSED = auto()  # nothing was done, and the caller is told so
    MUTE = auto()  # it was done and committed; the caller learns nothing but that the connection broke


@attrs.frozen
class Trip:
    """One call to the store: seconds until it is carried out, until the answer is there, and what becomes of it."""

    there: float
    back: float
    fate: Fate


@attrs.frozen
class Outage:
    """A span in which every conversation with the relay fails in the same way."""

    span: Span
    word: Word


@attrs.frozen(kw_only=True)
class Weather:
    """All shares are probabilities of one call or one transaction."""

    calm_at: float
    store_refuses: float
    store_mute: float
    store_slow: float
    store_outages: tuple[Span, ...]
    relay_fails: float
    relay_slow: float
    relay_outages: tuple[Outage, ...]
    greylisting: bool
    pager_fails: float
    ambushes: float  # of the milestones that a worker reaches, the share at which it dies or freezes
    loses_ambiguous: float  # of the mails whose dot got no answer, the share that the relay does not have

    @classmethod
    def drawn(cls, dice: Random) -> Weather:
        """The weather of a seed."""
        calm_at = dice.choice((10.0, 20.0, 30.0))
        bad_store, bad_relay = dice.random() < 0.6, dice.random() < 0.8
        return cls(
            calm_at=calm_at,
            store_refuses=bad_store * dice.choice((0.0, 0.1, 0.3)),
            store_mute=bad_store * dice.choice((0.0, 0.1, 0.3)),
            store_slow=bad_store * dice.choice((0.0, 0.05, 0.2)),
            store_outages=tuple(_span(dice, calm_at) for _ in range(bad_store * dice.choice((0, 0, 1)))),
            relay_fails=bad_relay * dice.choice((0.0, 0.2, 0.5, 0.8)),
            relay_slow=bad_relay * dice.choice((0.0, 0.1, 0.4)),
            relay_outages=tuple(_outage(dice, calm_at) for _ in range(bad_relay * dice.choice((0, 0, 1, 2)))),
            greylisting=bad_relay and dice.random() < 0.2,
            pager_fails=dice.choice((0.0, 0.0, 0.3, 1.0)),
            ambushes=dice.choice((0.0, 0.0, 0.05, 0.1, 0.2)),
            loses_ambiguous=dice.choice((0.0, 0.5, 1.0)),
        )

    # --- the store ---------------------------------------------------------------------------------------------------

    def trip(self, dice: Random, now: float) -> Trip:
        """What becomes of a call to the store that is made ``now``."""
        there, back = dice.uniform(0.0005, 0.005), dice.uniform(0.0005, 0.005)
        if now >= self.calm_at:
            return Trip(there, back, Fate.DONE)
        if any(begin <= now < end for begin, end in self.store_outages):
            return Trip(there, back, Fate.REFUSED)
        if dice.random() < self.store_slow:
            there, back = dice.choice(((2.0, 0.0), (8.0, 0.0), (0.0, 2.0), (0.0, LONGEST_TRIP)))
        luck = dice.random()
        if luck < self.store_refuses:
            return Trip(there, back, Fate.REFUSED)
        return Trip(there, back, Fate.MUTE if luck < self.store_refuses + self.store_mute else Fate.DONE)

    # --- the relay ---------------------------------------------------------------------------------------------------

    def pause(self, dice: Random, now: float) -> float:
        """How long the relay takes for one step of a conversation."""
        if now < self.calm_at and dice.random() < self.relay_slow:
            return dice.choice((0.5, 2.0, 4.0, 7.0))
        return dice.uniform(0.001, 0.01)

    def mishap(self, dice: Random, now: float) -> Word | None:
        """Where a transaction that begins ``now`` will fail, and how; what is said of one recipient is drawn apart."""
        if now >= self.calm_at:
            return None
        for outage in self.relay_outages:
            if outage.span[0] <= now < outage.span[1]:
                return outage.word
        if dice.random() >= self.relay_fails:
            return None
        stage = dice.choice(_MISHAPS)
        silent = stage is Stage.DOT and dice.random() < 0.5
        return stage, dice.choice(_SILENCES if silent else WORDS[stage])

    def about_recipient(self, dice: Random, now: float) -> Signal:
        """What is said of a recipient that exists."""
        if now < self.calm_at and dice.random() < self.relay_fails / 5:
            return dice.choice(WORDS[Stage.RCPT])
        return SmtpReply(250, "2.1.5 Ok")


def _span(dice: Random, until: float) -> Span:
    begin = dice.uniform(0.0, until)
    return begin, min(until, begin + dice.choice((1.0, 5.0, 15.0, 40.0)))


def _outage(dice: Random, until: float) -> Outage:
    stage = dice.choice(OPENING)
    return Outage(_span(dice, until), (stage, dice.choice(WORDS[stage])))
