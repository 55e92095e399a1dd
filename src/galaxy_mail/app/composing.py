"""From an order to the bytes of a message: render, then compose. Producers do it once to check, workers to send."""

from __future__ import annotations

from datetime import datetime

import attrs

from galaxy_mail.domain.addresses import RecipientKind
from galaxy_mail.domain.mail import Mail
from galaxy_mail.domain.mime import Message, compose
from galaxy_mail.domain.ports import TemplateRenderer


@attrs.frozen
class Composed:
    """A finished message, CRLF line ends, not dot-stuffed."""

    octets: bytes = attrs.field(repr=False)
    smtputf8: bool
    template_version: str


class Composer:
    """Renders with the given renderer and composes."""

    def __init__(self, renderer: TemplateRenderer) -> None:
        self._renderer = renderer

    def compose(self, mail: Mail, dated: datetime) -> Composed:
        """The message for ``mail``, the same for the same template version.

        Raises:
            TemplateNotFound, TemplateInvalid, InvalidMessage: naming what is wrong, without any value.
        """
        content = self._renderer.render(mail.template, mail.variables)
        message = Message(
            message_id=mail.message_id,
            date=dated,
            sender=mail.sender,
            subject=content.subject,
            text=content.text,
            html=content.html,
            to=mail.mailboxes(RecipientKind.TO),
            cc=mail.mailboxes(RecipientKind.CC),
            reply_to=mail.mailboxes(RecipientKind.REPLY_TO),
        )
        needs_smtputf8 = any(recipient.address.needs_smtputf8 for recipient in mail.recipients)
        return Composed(compose(message), needs_smtputf8 or message.needs_smtputf8, content.version)
