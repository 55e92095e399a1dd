"""What an administrator is told, and nothing a notification must not carry: no body, no context, no secret."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID

import attrs

from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.outages import named
from galaxy_mail.domain.verdicts import Blame, Stage

# A letter (or its escape), and what else may come before an @ in the words of a server.
_LOCAL_PART = re.compile(r"""(\\x..|\\u.{4}|\\U.{8}|[^\s<>()\[\]:;,"@])[^\s<>()\[\]:;,"@]*@""")

_UNCERTAIN = (
    "The server may have it, or may not: no reply came to its end, or the worker that sent it fell silent. Look for it in "
    "the relay's log by its Message-ID. galaxy-mail resend sends it once more; it was ordered not to go by itself."
)


def with_masked_addresses(text: str) -> str:
    """What a server said, with every address in it as ``a***@example.org``: it echoes the recipients' and perhaps others."""
    return _LOCAL_PART.sub(r"\1***@", text)


@attrs.frozen
class Notice:
    """A delivery that a person should know of: dead-lettered, or sent while some recipients were refused.

    ``refused`` holds masked addresses (``a***@example.org``); ``detail`` is the last reply, escaped and cut, and
    its addresses are masked too; ``galaxy-mail show`` has it whole.
    """

    delivery_id: UUID
    status: DeliveryStatus
    reason: DeadLetterReason | None
    template: str
    attempts: int
    created_at: datetime
    ended_at: datetime
    refused: tuple[str, ...] = ()
    detail: str = attrs.field(default="", converter=with_masked_addresses)

    @property
    def advice(self) -> str:
        """What to know before deciding; nothing where the reason says it all."""
        return _UNCERTAIN if self.reason is DeadLetterReason.UNCERTAIN else ""

    @property
    def headline(self) -> str:
        """One line that says what happened."""
        what = f"dead-lettered ({self.reason})" if self.reason else f"{self.status} with recipients refused"
        attempts = f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}"
        return f"mail {self.delivery_id} ({self.template}) {what} after {attempts}"


@attrs.frozen
class OutageNotice:
    """The relay, or one sender at it, cannot be used, or can be again: mails wait meanwhile, and nothing is lost.

    ``said`` is the reply code or the fault that began it; ``detail`` the reply, escaped and cut, its addresses masked.
    """

    outage_id: UUID
    scope: str  # see domain.outages
    opened_at: datetime
    closed_at: datetime | None  # None: it has only begun
    blame: Blame
    stage: Stage
    said: str
    detail: str = attrs.field(default="", converter=with_masked_addresses)

    @property
    def headline(self) -> str:
        """One line that says what happened."""
        what = named(self.scope)
        if self.closed_at is None:
            return (
                f"{what} cannot be used ({self.said} at {self.stage}; {self.blame} is to blame): mails wait"
            )
        lasted = timedelta(seconds=round((self.closed_at - self.opened_at).total_seconds()))
        return f"{what} works again after {lasted} ({self.said} at {self.stage})"


AnyNotice = Notice | OutageNotice
