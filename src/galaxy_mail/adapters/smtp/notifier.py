"""The AdminNotifier that sends a mail: over a connection of its own, never through the outbox it reports on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import attrs

from galaxy_mail.adapters.smtp.relay import PoolLimits, RelayConfig
from galaxy_mail.adapters.smtp.sender import PooledSmtpSender
from galaxy_mail.domain.addresses import EmailAddress, Mailbox
from galaxy_mail.domain.errors import InfrastructureError, InvalidSettings
from galaxy_mail.domain.mime import Message, compose
from galaxy_mail.domain.notices import AnyNotice, Notice, OutageNotice
from galaxy_mail.domain.ports import Clock
from galaxy_mail.domain.verdicts import Envelope, Verdict

_log = logging.getLogger("galaxy_mail.smtp")


class SmtpAdminNotifier:
    """Mails each notice to every administrator.

    A notice that is told again is a mail of its own: the same delivery may die twice.
    """

    def __init__(
        self, config: RelayConfig, sender: Mailbox, admins: Sequence[EmailAddress], clock: Clock
    ) -> None:
        if not admins:
            raise InvalidSettings(["admins: names nobody"])
        self._config = attrs.evolve(
            config, tls_context=config.build_tls_context(), pool=PoolLimits(connections=1)
        )
        self._sender = sender
        self._admins = tuple(admins)
        self._clock = clock

    async def notify(self, notice: AnyNotice) -> None:
        """See ``AdminNotifier.notify``.

        Raises:
            InfrastructureError: unless the relay has accepted the mail for at least one administrator. One whose address is
                refused is named in the log: telling all of them again for his sake would never end.
        """
        message = self.message(notice)
        envelope = Envelope(self._sender.address, self._admins, message.needs_smtputf8)
        connection = PooledSmtpSender(self._config)
        try:
            receipt = await connection.send(envelope, compose(message), lambda: None)
        except asyncio.CancelledError:
            connection.abort()
            raise
        await connection.aclose()
        refused = [
            (admin, verdict)
            for admin, verdict in zip(self._admins, receipt.verdicts, strict=True)
            if not verdict.accepted
        ]
        if len(refused) == len(self._admins):
            _, verdict = refused[0]
            raise InfrastructureError(f"a notice was not accepted: {_said(verdict)}")
        for admin, verdict in refused:
            _log.warning("%s is not told of %s: %s", admin.masked, _about(notice), _said(verdict))

    def message(self, notice: AnyNotice) -> Message:
        """The mail about ``notice``. The administrators see each other."""
        now = self._clock.now()
        return Message(
            message_id=f"{_about(notice).replace(' ', '.')}.{now:%Y%m%d%H%M%S%f}.notice@{self._sender.address.domain}",
            date=now,
            sender=self._sender,
            subject=notice.headline,
            text=_outage_text(notice) if isinstance(notice, OutageNotice) else _text(notice),
            to=tuple(Mailbox(address) for address in self._admins),
        )


def _said(verdict: Verdict) -> str:
    return f"{verdict.said} at {verdict.stage}"


def _about(notice: AnyNotice) -> str:
    if isinstance(notice, OutageNotice):
        return f"outage {notice.outage_id}"
    return f"delivery {notice.delivery_id}"


def _outage_text(notice: OutageNotice) -> str:
    lines = [
        notice.headline,
        "",
        f"since:     {notice.opened_at:%Y-%m-%d %H:%M:%S %Z}",
        f"until:     {notice.closed_at:%Y-%m-%d %H:%M:%S %Z}" if notice.closed_at else "until:     -",
        f"blame:     {notice.blame}",
        f"last word: {notice.detail or '-'}",
        "",
        "Mails wait meanwhile; no attempt is counted against them. More: galaxy-mail doctor",
    ]
    return "\n".join(lines) + "\n"


def _text(notice: Notice) -> str:
    lines = [
        notice.headline,
        "",
        f"delivery:  {notice.delivery_id}",
        f"template:  {notice.template}",
        f"status:    {notice.status}",
        f"reason:    {notice.reason or '-'}",
        f"attempts:  {notice.attempts}",
        f"ordered:   {notice.created_at:%Y-%m-%d %H:%M:%S %Z}",
        f"ended:     {notice.ended_at:%Y-%m-%d %H:%M:%S %Z}",
        f"refused:   {', '.join(notice.refused) or '-'}",
        f"last word: {notice.detail or '-'}",
        "",
        *([notice.advice, ""] if notice.advice else []),
        f"More: galaxy-mail show {notice.delivery_id}",
    ]
    return "\n".join(lines) + "\n"
