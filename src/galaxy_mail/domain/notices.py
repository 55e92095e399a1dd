"""What an administrator is told, and nothing a notification must not carry: no body, no context, no secret."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus


@attrs.frozen
class Notice:
    """A delivery that a person should know of: dead-lettered, or sent while some recipients were refused.

    ``refused`` holds masked addresses (``a***@example.org``); ``detail`` is the last reply, escaped and cut.
    """

    delivery_id: UUID
    status: DeliveryStatus
    reason: DeadLetterReason | None
    template: str
    attempts: int
    created_at: datetime
    refused: tuple[str, ...] = ()
    detail: str = ""

    @property
    def headline(self) -> str:
        """One line that says what happened."""
        what = f"dead-lettered ({self.reason})" if self.reason else f"{self.status} with recipients refused"
        return f"mail {self.delivery_id} ({self.template}) {what} after {self.attempts} attempts"
