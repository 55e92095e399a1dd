"""From an order to the bytes of a message: render, then compose. Producers do it once to check, workers to send."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import attrs

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.addresses import RecipientKind
from galaxy_mail.domain.mail import Mail
from galaxy_mail.domain.mime import Message, compose
from galaxy_mail.domain.ports import TemplateRenderer


@attrs.frozen
class Draft:
    """A rendered message, to be composed. ``large`` says that this takes long enough for others to notice."""

    message: Message
    smtputf8: bool
    template_version: str
    large: bool


@attrs.frozen
class Composed:
    """A finished message, CRLF line ends, not dot-stuffed."""

    octets: bytes = attrs.field(repr=False)
    smtputf8: bool
    template_version: str


class Composer:
    """Renders with the given renderer and composes."""

    def __init__(self, renderer: TemplateRenderer, config: RuntimeConfig) -> None:
        self._renderer = renderer
        self._large = config.large_message
        # Of its own: the loop's own threads look up names for new connections.
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compose")

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
        length = len(content.text) + len(content.html or "")
        return Draft(
            message, needs_smtputf8 or message.needs_smtputf8, content.version, length >= self._large
        )

    async def compose(self, draft: Draft) -> Composed:
        """The octets of it. A large one is composed in a thread, one after the other; any other without waiting.

        Raises:
            InvalidMessage: naming what is wrong, without any value.
        """
        if draft.large:
            octets = await asyncio.get_running_loop().run_in_executor(self._aside, compose, draft.message)
        else:
            octets = compose(draft.message)
        return Composed(octets, draft.smtputf8, draft.template_version)
