"""What is kept of a mail besides its people: JSON text, as a database would keep it, and the secrets until they are wiped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import attrs

from galaxy_mail.domain.addresses import EmailAddress, Mailbox, Recipient
from galaxy_mail.domain.errors import InvalidInput
from galaxy_mail.domain.leases import Unreadable
from galaxy_mail.domain.mail import Mail, NewDelivery


@attrs.define(eq=False, repr=False)
class Stored:
    """The payload of a delivery, and the digests that tell whether another order is the same."""

    sender_address: str
    sender_name: str
    context: str
    secrets: str | None
    content_digest: bytes
    secret_digest: bytes | None
    wiped: bool = False

    @classmethod
    def of(cls, order: NewDelivery) -> Self:
        """Take an order through JSON.

        Raises:
            InvalidInput: for a context or secrets that JSON (RFC 8259) cannot hold.
        """
        mail = order.mail
        return cls(
            sender_address=str(mail.sender.address),
            sender_name=mail.sender.name,
            context=_to_json(mail.context, "context"),
            secrets=None if mail.secrets is None else _to_json(mail.secrets, "secrets"),
            content_digest=order.content_digest,
            secret_digest=order.secret_digest,
        )

    def same_content(self, order: NewDelivery) -> bool:
        """Whether ``order`` asks for the same mail; a wiped secret no longer distinguishes."""
        same_secret = self.wiped or order.secret_digest == self.secret_digest
        return order.content_digest == self.content_digest and same_secret

    def wipe(self) -> None:
        """Forget the secrets for ever, and whatever tells anything of them."""
        if self.secrets is not None:
            self.secrets = self.secret_digest = None
            self.wiped = True

    def read(self, message_id: str, template: str, people: tuple[Recipient, ...]) -> Mail | Unreadable:
        """The mail again, or word that it cannot be read back."""
        try:
            return Mail(
                message_id=message_id,
                template=template,
                sender=Mailbox(EmailAddress.parse(self.sender_address, "sender"), self.sender_name),
                recipients=people,
                context=_object(self.context),
                secrets=None if self.secrets is None else _object(self.secrets),
            )
        except (ValueError, TypeError, InvalidInput) as error:  # JSONDecodeError is a ValueError
            return Unreadable(f"the stored mail cannot be read back ({type(error).__name__})")


def _to_json(value: Mapping[str, object], field: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError):
        raise InvalidInput(field, "is not JSON") from None


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("not a JSON object")
    return value
