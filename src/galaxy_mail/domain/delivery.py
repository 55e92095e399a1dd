"""The life of a delivery, as one table.

House rules:

1. Everything that moves a delivery from one status to another stands in ``TRANSITIONS``; no other line of the package
   assigns a status. (The SQL of the Postgres store repeats three of its rows, and a test holds them against this table.)
2. A status says where the delivery stands with its recipients. Who works on it just now is not a status: that is a claim
   (see ``leases``). Why it died is not a status either: that is a ``DeadLetterReason``.
3. A terminal status has a row without exits, or with the operator's exit alone. An event that finds no exit raises
   ``IllegalTransition`` and nothing has moved.

The events, in the order in which a delivery meets them:

``RELEASED``   its claim was given back untouched; nothing happened to it.
``ABANDONED``  the worker that held its claim fell silent; what became of the mail is unknown.
``DEFERRED``   some recipient is still open and another attempt is planned.
``COMPLETED``  no recipient is open and at least one accepted.
``GIVEN_UP``   no further attempt will be made and no recipient accepted; a ``DeadLetterReason`` says why.
``RESENT``     an operator put a dead letter back into the queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from galaxy_mail.domain.errors import IllegalTransition


class DeliveryStatus(StrEnum):
    """Where a delivery stands. These four values are the only ones."""

    PENDING = "pending"
    RETRYING = "retrying"
    SENT = "sent"
    DEAD_LETTERED = "dead_lettered"

    __repr__ = str.__repr__  # so that printed stats read well

    @property
    def terminal(self) -> bool:
        """Whether no worker will touch it any more."""
        return self in (DeliveryStatus.SENT, DeliveryStatus.DEAD_LETTERED)


class AttemptOutcome(StrEnum):
    """How one attempt ended. These three values are the only ones; ``ambiguous`` is a flag beside them."""

    SUCCESS = "success"
    TRANSIENT_ERROR = "transient_error"
    PERMANENT_ERROR = "permanent_error"


class DeadLetterReason(StrEnum):
    """Why a delivery was given up."""

    REFUSED = "refused"  # the server refused it for good
    EXHAUSTED = "exhausted"  # the maximum of burned attempts is reached
    EXPIRED = "expired"  # its validity ended, or would end before the next attempt
    AGED_OUT = "aged_out"  # it is older than max_age, whatever the cause of the delay
    UNRENDERABLE = "unrenderable"  # the stored mail cannot be made into a message
    POISON = "poison"  # workers that held it fell silent, again and again
    UNCERTAIN = "uncertain"  # the server may have it, and it was ordered to wait for a person then


class RecipientState(StrEnum):
    """Where one recipient of the envelope stands. A ``reply_to`` has no state: nothing is delivered to it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class DeliveryEvent(StrEnum):
    """What can happen to a delivery; see the module's text."""

    RELEASED = "released"
    ABANDONED = "abandoned"
    DEFERRED = "deferred"
    COMPLETED = "completed"
    GIVEN_UP = "given_up"
    RESENT = "resent"


TRANSITIONS: Mapping[DeliveryStatus, Mapping[DeliveryEvent, DeliveryStatus]] = MappingProxyType(
    {
        DeliveryStatus.PENDING: {
            DeliveryEvent.RELEASED: DeliveryStatus.PENDING,
            DeliveryEvent.ABANDONED: DeliveryStatus.RETRYING,
            DeliveryEvent.DEFERRED: DeliveryStatus.RETRYING,
            DeliveryEvent.COMPLETED: DeliveryStatus.SENT,
            DeliveryEvent.GIVEN_UP: DeliveryStatus.DEAD_LETTERED,
        },
        DeliveryStatus.RETRYING: {
            DeliveryEvent.RELEASED: DeliveryStatus.RETRYING,
            DeliveryEvent.ABANDONED: DeliveryStatus.RETRYING,
            DeliveryEvent.DEFERRED: DeliveryStatus.RETRYING,
            DeliveryEvent.COMPLETED: DeliveryStatus.SENT,
            DeliveryEvent.GIVEN_UP: DeliveryStatus.DEAD_LETTERED,
        },
        DeliveryStatus.SENT: {},
        DeliveryStatus.DEAD_LETTERED: {
            DeliveryEvent.RESENT: DeliveryStatus.PENDING,
        },
    }
)


def transition(status: DeliveryStatus, event: DeliveryEvent) -> DeliveryStatus:
    """The status after ``event``.

    Raises:
        IllegalTransition: if the table has no such exit; nothing has moved.
    """
    try:
        return TRANSITIONS[status][event]
    except KeyError:
        raise IllegalTransition(f"a delivery that is {status} cannot be {event}") from None
