"""The SmtpSender for a deployment that must not send."""

from __future__ import annotations

import logging

from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Envelope, Receipt, SmtpReply, Stage

_ACCEPTED = SmtpReply(250, "2.0.0 accepted by no server")


class NoopSmtpSender:
    """Accepts every mail whose gate is open, logs whom it was for (masked) at INFO, and does nothing."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("galaxy_mail.smtp")

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """See ``SmtpSender.send``; never fails."""
        if fault := gate():
            return Receipt.uniform(classify(Stage.LOCAL, fault), envelope)
        people = ", ".join(address.masked for address in envelope.recipients)
        self._logger.info("not sent, since no sender is wired: %d octets to %s", len(message), people)
        return Receipt.uniform(classify(Stage.DOT, _ACCEPTED), envelope)

    async def aclose(self) -> None:
        """Nothing is open."""
