"""Claims and leases: what it means to hold a delivery.

A worker that wants to send a delivery **claims** it. The store issues a **token** and notes until when the claim is good:
its **lease**. From then on

* the *store* is the authority. It alone decides, by its own clock, when a lease has run out, and it alone issues tokens.
* a claim is identified by its token, not by its holder or by the delivery's status. A settlement, a renewal or a release
  wins only with the latest token issued for that delivery; any other is refused and changes nothing. So a worker that was
  paused past its lease (a zombie) can do no harm to what has been claimed anew.
* losing a claim is weather. It is a value that the store returns, never an exception.
* *local* time only shortens trust. A worker trusts its claim until ``asked + lease`` on its own monotonic clock, where
  ``asked`` is the moment before it asked, so a slow answer cannot stretch it. Past that it begins no body.
* a claim that is not settled, renewed or released in time is **abandoned**. The next claim statement that meets it takes
  it over, writes the attempt that nobody closed (ambiguous, since what the dead worker wrote may still be delivered by its
  kernel), and counts it. Its worker may have died of it, so it is a **suspect**: suspects are claimed in small groups
  without others, and one that was abandoned twice is claimed alone. So a mail that kills its workers is found, and its
  neighbours are not blamed for long; at the limit it is dead-lettered as poison. One that is to be held when it is
  uncertain is not taken over at all: it is dead-lettered as uncertain.
* where the store can see whether a worker is there, a claim bears its holder's **sign of life**: a number that is seen for
  as long as the worker's session lasts. Once a sign has been missing for a while, the leases under it are ended by whoever
  looks, and need not run out. A worker that lost its session takes the sign again, or renews its claims without one, before
  anybody can have missed it for so long.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import attrs

from galaxy_mail.domain.addresses import Recipient
from galaxy_mail.domain.delivery import DeliveryStatus, RecipientState
from galaxy_mail.domain.mail import Lane, Mail

ClaimToken = UUID
Sign = int  # of life: drawn anew by each session's owner, since names recur


@attrs.frozen
class ClaimRequest:
    """A worker's wish for at most ``limit`` due deliveries, each for ``lease``. ``worker`` is a name for the operator.

    ``abandoned_limit`` is the number of abandoned claims at which a delivery is poison; of those that were abandoned once,
    at most ``suspects_together`` are claimed at a time. One place in ``share_behind`` (2 or more) is kept for each lane behind.
    The claims bear ``sign``; without one nothing but their lease ends them. With ``overdue_after`` it is a wish for those alone
    that have expired, or are older than that.
    """

    worker: str
    limit: int
    lease: timedelta
    abandoned_limit: int
    suspects_together: int = 1
    share_behind: int = 10
    sign: Sign | None = None
    overdue_after: timedelta | None = None

    @property
    def kept_behind(self) -> int:
        """How many places are kept for each lane behind another, as far as something is due there."""
        return self.limit // self.share_behind


@attrs.frozen
class Absence:
    """What a look for signs of life found: whose is ``missing``, and how many leases were ``ended`` for it."""

    missing: frozenset[Sign]
    ended: int = 0


@attrs.frozen
class Unreadable:
    """Stands for a mail whose stored form cannot be read back; ``problem`` is safe to show."""

    problem: str


@attrs.frozen
class Held:
    """The proof of a claim: what settle, renew and release ask for."""

    delivery_id: UUID
    token: ClaimToken


@attrs.frozen
class Claim:
    """One delivery, held. Ages and validity are durations at the moment of the claim, by the store's clock."""

    held: Held
    number: int  # 1, 2, 3 …: counts the claims of this delivery and numbers their attempts
    status: DeliveryStatus
    mail: Mail | Unreadable
    # In the order of mail.recipients; None for a reply_to.
    recipient_states: tuple[RecipientState | None, ...]
    dated: datetime  # what the Date header says
    age: timedelta  # since enqueue, send_at or the last resend
    expires_in: timedelta | None
    lane: Lane = Lane.NORMAL
    hold_uncertain: bool = False  # an ambiguous attempt is its last
    attempts: int = 0  # burned so far
    deferrals: int = 0  # attempts in a row that burned nothing
    abandoned: int = 0
    # Positions in mail.recipients that still wait for an answer.
    open_positions: tuple[int, ...] = attrs.field(init=False, eq=False, repr=False)

    @open_positions.default
    def _find_open(self) -> tuple[int, ...]:
        return tuple([i for i, state in enumerate(self.recipient_states) if state is RecipientState.OPEN])

    @property
    def suspect(self) -> bool:
        """Whether a claim of it was abandoned before: it is to be worked on with no one but other suspects of its claim."""
        return self.abandoned > 0

    def open_recipients(self) -> tuple[Recipient, ...]:
        """The recipients that still wait for an answer; empty for an unreadable mail."""
        if isinstance(self.mail, Unreadable):
            return ()
        return tuple(self.mail.recipients[i] for i in self.open_positions)
