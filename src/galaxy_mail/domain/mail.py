"""A mail as the producer ordered it: template, people and context, not yet a message.

The context is split in two. ``context`` is public and kept for as long as the row; ``secrets`` (a login code) is merged
over it when the message is rendered, never shown in a ``repr``, and wiped once the delivery is terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

import attrs

from galaxy_mail.domain.addresses import Mailbox, Recipient, RecipientKind


class Lane(IntEnum):
    """Which queue a delivery waits in; a lower lane is claimed first."""

    URGENT = 0
    NORMAL = 1
    BULK = 2


@attrs.frozen
class Mail:
    """What is to be sent, to whom, by which name."""

    message_id: str  # without angle brackets; minted once, so that all copies carry the same
    template: str
    sender: Mailbox
    recipients: tuple[Recipient, ...]
    context: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    secrets: Mapping[str, object] | None = attrs.field(default=None, repr=False)

    def mailboxes(self, kind: RecipientKind) -> tuple[Mailbox, ...]:
        """The mailboxes in one role, in the order given."""
        return tuple(recipient.mailbox for recipient in self.recipients if recipient.kind is kind)

    @property
    def variables(self) -> dict[str, object]:
        """What the template sees: context and secrets together."""
        return {**self.context, **(self.secrets or {})}


@attrs.frozen
class NewDelivery:
    """An order for the outbox.

    ``ttl`` counts from the moment of enqueue by the database's clock, ``send_at`` is the earliest time of the first
    attempt. With ``hold_uncertain`` an ambiguous attempt is the last one until a person has decided. The digests identify public and secret content for idempotency (32 octets each, see ``orders``).
    """

    delivery_id: UUID
    mail: Mail
    lane: Lane = Lane.NORMAL
    ttl: timedelta | None = None
    send_at: datetime | None = None
    hold_uncertain: bool = False
    idempotency_key: str | None = None
    content_digest: bytes = attrs.field(default=b"", repr=False)
    secret_digest: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Content:
    """A rendered mail: what a TemplateRenderer returns. ``version`` identifies the template's source."""

    subject: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    html: str | None = attrs.field(default=None, repr=False)
    version: str = ""
