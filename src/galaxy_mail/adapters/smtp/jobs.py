"""A mail on its way through the pool, and the receipt that somebody waits for."""

from __future__ import annotations

import asyncio
import logging

import attrs

from galaxy_mail.adapters.smtp.envelopes import Offers, commands
from galaxy_mail.adapters.smtp.replies import queue_id
from galaxy_mail.adapters.smtp.transaction import CLOSING, Transaction
from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdict_table import VerdictTable
from galaxy_mail.domain.verdicts import Envelope, Fault, Receipt, Signal, SmtpReply, Stage

_log = logging.getLogger("galaxy_mail.smtp")


@attrs.define(eq=False)
class Job:
    """One call of ``send``. ``ordinal`` is how many mails its connection was given before it."""

    envelope: Envelope
    message: bytes = attrs.field(repr=False)
    gate: Gate
    receipt: asyncio.Future[Receipt] = attrs.field(repr=False)
    verdicts: VerdictTable = attrs.field(repr=False)
    ordinal: int = 0
    again: bool = False

    @property
    def forsaken(self) -> bool:
        """Whether nobody waits any more."""
        return self.receipt.done()

    def commands(self, offers: Offers) -> list[bytes] | Fault:
        """What to say to a server with these offers, or why nothing can be said."""
        try:
            return commands(self.envelope, self.message, offers)
        except Exception:  # noqa: BLE001 - a bug of ours must not leave the caller waiting
            _log.exception("a mail's envelope cannot be written")
            return Fault.INTERNAL

    def ask_gate(self) -> Fault | None:
        """Whether the body may go. It may not if nobody is left to write down what becomes of it."""
        if self.forsaken:
            return Fault.CLAIM_LOST
        try:
            return self.gate()
        except Exception:  # noqa: BLE001 - the gate is the caller's code
            _log.exception("the gate of a mail raised; its body is withheld")
            return Fault.INTERNAL

    def may_go_again(self, transaction: Transaction) -> bool:
        """Whether its connection was closed under it before the server took notice of it.

        So ends a connection that was idle for longer than the server allows, or behind a mail that broke it. A connection
        fresh for this mail is not excused, and a second time is the relay's failure.
        """
        if self.again or self.forsaken or self.ordinal == 0 or not transaction.untouched:
            return False
        signal = transaction.signals[0] and transaction.signals[0][1]
        return signal is Fault.CLOSED or (isinstance(signal, SmtpReply) and signal.code == CLOSING)

    def finish(self, transaction: Transaction) -> None:
        """Hand over what the transaction has learnt."""
        self._deliver([known for known in transaction.signals if known])

    def fail(self, stage: Stage, signal: Signal) -> None:
        """Hand over one signal for everybody."""
        self._deliver([(stage, signal)] * len(self.envelope.recipients))

    def _deliver(self, signals: list[tuple[Stage, Signal]]) -> None:
        if self.forsaken:
            return
        verdicts = tuple([self.verdicts.classify(stage, signal) for stage, signal in signals])
        self.receipt.set_result(Receipt(verdicts, _remote_id(signals)))


def _remote_id(signals: list[tuple[Stage, Signal]]) -> str | None:
    for stage, signal in signals:
        if stage is Stage.DOT and isinstance(signal, SmtpReply) and signal.code < 300:
            return queue_id(signal.text)
    return None
