"""What an operator may ask: every argument checked before the store hears of it, as ``orders`` does for producers.

Each function raises ``InvalidInput`` (or a subclass) that names the field and never repeats the value.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import InvalidInput
from galaxy_mail.domain.orders import AGES, one_line
from galaxy_mail.domain.records import MAX_LISTED, DeliveryQuery


def delivery_id(value: object) -> UUID:
    """An id, which is a UUID and no text."""
    if not isinstance(value, UUID):
        raise InvalidInput("delivery_id", "must be a UUID")
    return value


def query(status: object, template: object, recipient: object, limit: object) -> DeliveryQuery:
    """Which deliveries to list; None for any."""
    return DeliveryQuery(
        _status(status),
        None if template is None else one_line(template, "template"),
        None if recipient is None else str(EmailAddress.parse(recipient, "recipient")),
        listed(limit),
    )


def listed(limit: object, field: str = "limit") -> int:
    """How many to show at most: 1 to 1,000."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_LISTED:
        raise InvalidInput(field, f"must be a number from 1 to {MAX_LISTED}")
    return limit


def age(value: object) -> timedelta:
    """How long ago something must have ended: 0 to a century."""
    if not isinstance(value, timedelta) or not timedelta(0) <= value <= AGES:
        raise InvalidInput("ended_before", f"must be a timedelta of 0 to {AGES.days} days")
    return value


def _status(value: object) -> DeliveryStatus | None:
    found = next((status for status in DeliveryStatus if status == value), None)
    if found is None and value is not None:
        raise InvalidInput("status", f"must be one of {', '.join(DeliveryStatus)}")
    return found
