"""From an order to the bytes of a message: render, then compose. Producers do it once to check, workers to send."""

from __future__ import annotations

import asyncio
from datetime import datetime

import attrs

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.addresses import RecipientKind
from galaxy_mail.domain.mail import Mail
from galaxy_mail.domain.mime import Message, compose
from galaxy_mail.domain.ports import TemplateRenderer


@attrs.frozen
class Draft:
    """A rendered message, and what the envelope and the attempt need to know of it."""

    message: Message
    smtputf8: bool
    template_version: str

    @property
    def size(self) -> int:
        """About how many octets its bodies will have, and rather too many: a character becomes one, or in base64 four at most."""
        return sum(
            len(body) * (1 if body.isascii() else 4) for body in (self.message.text, self.message.html or "")
        )


class Composer:
    """Renders with the given renderer and composes."""

    def __init__(self, renderer: TemplateRenderer, config: RuntimeConfig) -> None:
        self._renderer = renderer
        self._large = config.large_message
        self._aside = asyncio.Lock()

    def draft(self, mail: Mail, dated: datetime) -> Draft:
        """The message for ``mail``, the same for the same template version.

        Raises:
            TemplateNotFound, TemplateInvalid: naming what is wrong, without any value.
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
        return Draft(message, needs_smtputf8 or message.needs_smtputf8, content.version)

    async def compose(self, draft: Draft) -> bytes:
        """The octets of it: CRLF line ends, not dot-stuffed.

        A large one is composed in a thread, one at a time: it takes a second for every 10 MB, in which leases have to be renewed
        and login codes sent. A small one waits for nothing.

        Raises:
            InvalidMessage: naming what is wrong, without any value.
        """
        if draft.size < self._large:
            return compose(draft.message)
        async with self._aside:
            return await asyncio.to_thread(compose, draft.message)
