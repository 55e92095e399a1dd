"""One pass of one claim: from hand to settlement. It renders, composes, sends once and decides."""

from __future__ import annotations

import asyncio
import logging
import traceback
from datetime import datetime, timedelta

import attrs

from galaxy_mail.app.breakers import Breakers
from galaxy_mail.app.budget import Budget
from galaxy_mail.app.composing import Composed, Composer
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.holding import Holding, Progress
from galaxy_mail.domain.delivery import DeadLetterReason
from galaxy_mail.domain.errors import CallerError
from galaxy_mail.domain.leases import Unreadable
from galaxy_mail.domain.mail import Mail
from galaxy_mail.domain.ports import Clock, Entropy, SmtpSender
from galaxy_mail.domain.redaction import redacted
from galaxy_mail.domain.settlement import Attempt, Settlement, decide, give_up, overdue, put_off
from galaxy_mail.domain.text import escaped
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import MAX_DETAIL_OCTETS, Envelope, Fault, Receipt, Stage


class DeliveryPass:
    """What a worker does with one claim."""

    def __init__(
        self,
        *,
        composer: Composer,
        sender: SmtpSender,
        clock: Clock,
        entropy: Entropy,
        breakers: Breakers,
        config: RuntimeConfig,
        logger: logging.Logger,
    ) -> None:
        self.breakers = breakers
        self._composer = composer
        self._sender = sender
        self._clock = clock
        self._entropy = entropy
        self._config = config
        self._budget = Budget(config.octets_in_flight)
        self._aside = asyncio.Lock()
        self._log = logger

    async def deliver(self, holding: Holding) -> Settlement:
        """Make one attempt, unless it is too late for any, and return what is to be written down."""
        claim, retry = holding.claim, self._config.retry
        if reason := overdue(claim, holding.elapsed, retry):
            return give_up(claim, reason)
        if isinstance(claim.mail, Unreadable):
            self._log.error("delivery %s: %s", claim.held.delivery_id, claim.mail.problem)
            return give_up(claim, DeadLetterReason.UNRENDERABLE)
        if not claim.open_positions:  # nobody is left to send it to, so it should have ended: it does now
            return give_up(claim, DeadLetterReason.REFUSED)
        if (wait := await self.breakers.put_off(claim.mail.sender.address)) is not None:
            return put_off(claim, wait)
        receipt, version, started = await self._transact(holding, claim.mail)
        duration = timedelta(seconds=self._clock.monotonic() - started)
        receipt = self.breakers.saw(redacted(receipt, claim.mail.secrets), claim.mail.sender.address, started)
        attempt = Attempt(receipt, duration, version)
        return decide(claim, attempt, holding.elapsed, retry, self._entropy.dice())

    async def _transact(self, holding: Holding, mail: Mail) -> tuple[Receipt, str, float]:
        """What came of it, by which version of the template, and when it began."""
        claim_id = holding.claim.held.delivery_id
        recipients = holding.claim.open_recipients()[: self._config.recipients_per_transaction]
        envelope = Envelope(mail.sender.address, tuple(recipient.address for recipient in recipients))
        started = self._clock.monotonic()
        try:
            composed = await self._composed(mail, holding.claim.dated)
            envelope = Envelope(envelope.sender, envelope.recipients, composed.smtputf8)
            with self._budget.spent(len(composed.octets)):
                await holding.until_trusted()  # all this may have taken longer than the lease
                started = self._clock.monotonic()
                receipt = await self._sender.send(envelope, composed.octets, holding.gate)
            return receipt, composed.template_version, started
        except CallerError as error:  # the template changed since the enqueue, or the data no longer fit it
            self._log.error("delivery %s cannot be rendered: %s", claim_id, error)
            unrenderable = attrs.evolve(
                classify(Stage.LOCAL, Fault.UNRENDERABLE), detail=escaped(str(error), MAX_DETAIL_OCTETS)
            )
            return Receipt.uniform(unrenderable, envelope), "", started
        except Exception as error:  # noqa: BLE001 - a bug in an adapter is this mail's trouble, and stops no other
            # Without its text, which may hold a secret.
            where = "".join(traceback.format_tb(error.__traceback__))
            self._log.error("delivery %s: %s in an adapter\n%s", claim_id, type(error).__name__, where)
            stage = Stage.DOT if holding.progress is Progress.BEGUN else Stage.LOCAL
            return Receipt.uniform(classify(stage, Fault.INTERNAL), envelope), "", started

    async def _composed(self, mail: Mail, dated: datetime) -> Composed:
        """The message. Whoever gets it finds no more than the budget spent, and has to spend it without waiting for anything."""
        await self._budget.room()
        draft = self._composer.draft(mail, dated)
        if not draft.large:
            return await self._composer.compose(draft)
        kept = None if self._aside.locked() else draft
        del draft  # where many wait, theirs would be memory that nobody counts: they render again
        async with self._aside:
            await self._budget.room()
            return await self._composer.compose(kept or self._composer.draft(mail, dated))
