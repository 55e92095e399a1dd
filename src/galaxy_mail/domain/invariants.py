"""What always holds in an outbox, whatever dies, freezes or fails: the sentences of ``galaxy-mail audit``.

Only what the tables alone can tell is here. What the relay has in truth, it alone knows. Nothing that galaxy_mail does breaks
an invariant, so a breach was made by another hand, or by a bug of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

import attrs

OVERDUE_TAKEOVER = timedelta(minutes=15)
"""A lease that ended longer ago than this should have been taken over by the next claim, unless no worker runs, or an outage
of the relay keeps all from claiming.
"""

LONGEST_LEASE = timedelta(hours=1, minutes=1)
"""The setting ``lease`` allows an hour, and a claim may be a moment younger than who looks: no claim wrote a longer one."""

LATE_COMMIT = timedelta(minutes=1)
"""An attempt is dated back from when its commit was asked for, which may have waited that long for a connection."""


class Invariant(StrEnum):
    """One thing that always holds. ``means`` says it in a sentence."""

    LEASES_END = "leases_end"
    ENDED_IS_FREE = "ended_is_free"
    ENDED_IS_DATED = "ended_is_dated"
    DEAD_LETTERS_SAY_WHY = "dead_letters_say_why"
    ATTEMPTS_ARE_COUNTED = "attempts_are_counted"
    LOSSES_ARE_COUNTED = "losses_are_counted"
    ATTEMPTS_HAD_A_CLAIM = "attempts_had_a_claim"
    SENT_WAS_ACCEPTED = "sent_was_accepted"
    LIVING_WAITS_FOR_SOMEBODY = "living_waits_for_somebody"
    ENDED_WAITS_FOR_NOBODY = "ended_waits_for_nobody"
    ENDS_ARE_LEFT_BY_RESENDS = "ends_are_left_by_resends"
    HELD_WAITS_FOR_A_PERSON = "held_waits_for_a_person"
    SECRETS_ARE_WIPED = "secrets_are_wiped"
    NOTHING_WENT_AFTER_EXPIRY = "nothing_went_after_expiry"
    TALLY_AGREES = "tally_agrees"

    @property
    def means(self) -> str:
        """The sentence."""
        return _MEANINGS[self]


_MEANINGS: Mapping[Invariant, str] = MappingProxyType(
    {
        Invariant.LEASES_END: "Who holds a mail holds it by a lease: of at most an hour, and taken over soon after its end.",
        Invariant.ENDED_IS_FREE: "Nobody holds what has ended.",
        Invariant.ENDED_IS_DATED: "What has ended says when, and what lives does not.",
        Invariant.DEAD_LETTERS_SAY_WHY: "A dead letter says why it is one, and nothing else does.",
        Invariant.ATTEMPTS_ARE_COUNTED: "The count of attempts is that of those that burned since the last resend.",
        Invariant.LOSSES_ARE_COUNTED: "The count of abandoned claims is that of the abandoned attempts since the last resend.",
        Invariant.ATTEMPTS_HAD_A_CLAIM: "No attempt and no resend has a number that no claim was given.",
        Invariant.SENT_WAS_ACCEPTED: "What is sent was accepted for a recipient, and whoever is accepted was so by an attempt.",
        Invariant.LIVING_WAITS_FOR_SOMEBODY: "What is pending or retrying has a recipient that is open.",
        Invariant.ENDED_WAITS_FOR_NOBODY: "What has ended has no open recipient, and a dead letter nobody who accepted it.",
        Invariant.ENDS_ARE_LEFT_BY_RESENDS: "What lives never ended before, unless a resend is on record.",
        Invariant.HELD_WAITS_FOR_A_PERSON: "What is to be held is not claimed again, but by a resend, after it may have gone through.",
        Invariant.SECRETS_ARE_WIPED: "What has ended keeps no secret.",
        Invariant.NOTHING_WENT_AFTER_EXPIRY: "No mail succeeded by an attempt that began after its expiry.",
        Invariant.TALLY_AGREES: "The tally of what has ended agrees with the rows.",
    }
)


@attrs.frozen
class Breach:
    """An invariant that does not hold, and the first deliveries that break it; none are named where it is about no single one."""

    invariant: Invariant
    delivery_ids: tuple[UUID, ...] = ()
