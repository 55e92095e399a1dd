"""MailService: what a backend calls. Checks an order, renders it once to see that it can be sent, and enqueues it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Generic
from uuid import UUID

from galaxy_mail.app.composing import Composer
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain import orders, questions
from galaxy_mail.domain.addresses import Mailbox
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import InvalidInput, ResendRefused, UnknownDelivery
from galaxy_mail.domain.invariants import Breach
from galaxy_mail.domain.mail import Lane, NewDelivery
from galaxy_mail.domain.orders import Letter, OnUncertain, Order, People
from galaxy_mail.domain.ports import Clock, Entropy, Store, Tx
from galaxy_mail.domain.records import DeliveryRecord, DeliverySummary
from galaxy_mail.domain.shape import Shape

LOGIN_CODE_TEMPLATE = "login_code"


class MailService(Generic[Tx]):
    """The producers' and the operator's side of the outbox. ``Tx`` is the store's kind of transaction.

    Attributes:
        config: what paces the scan loop and bounds the retries.
    """

    def __init__(
        self,
        *,
        store: Store[Tx],
        composer: Composer,
        clock: Clock,
        entropy: Entropy,
        sender: Mailbox,
        config: RuntimeConfig,
    ) -> None:
        self.config = config
        self._store = store
        self._composer = composer
        self._clock = clock
        self._entropy = entropy
        self._sender = sender

    # --- producers ---------------------------------------------------------------------------------------------------

    async def enqueue_login_code(
        self,
        to: str | Mailbox,
        *,
        code: str,
        ttl: timedelta,
        context: Mapping[str, object] | None = None,
        within: Tx | None = None,
        idempotency_key: str | None = None,
        on_uncertain: OnUncertain = "retry",
        template: str = LOGIN_CODE_TEMPLATE,
    ) -> UUID:
        """Enqueue a login code that is valid for ``ttl`` from now and never leaves after it; return the delivery's id.

        The code is kept as a secret: in no log, ``repr``, exception or attempt, and wiped once the delivery has ended. It
        travels in the urgent lane. The template sees ``code``, ``minutes`` (rounded up), ``expires_in`` (in words) and
        ``context``. ``on_uncertain`` is explained at ``enqueue_template``; a code that was held cannot be resent.

        Raises:
            InvalidInput, IdempotencyConflict, UnusableTransaction: nothing was written.
            StoreUnavailable: the database failed; inside ``within`` your transaction cannot be committed any more.
        """
        orders.code(code)
        validity = orders.ttl(ttl)
        if validity is None:
            raise InvalidInput("ttl", "a login code needs a validity")
        minutes = math.ceil(validity / timedelta(minutes=1))
        words = f"{minutes} minute{'s' if minutes != 1 else ''}"
        order = Order(
            template=orders.one_line(template, "template"),
            recipients=orders.recipients(to=to),
            context={"minutes": minutes, "expires_in": words, **orders.json_object(context, "context")},
            secrets={"code": code},
            idempotency_key=orders.idempotency_key(idempotency_key),
            ttl=validity,
            lane=Lane.URGENT,
            hold_uncertain=orders.hold_uncertain(on_uncertain),
        )
        return await self._enqueue(order, within)

    async def enqueue_template(  # noqa: PLR0913 - a mail has that many sides, and each has its name
        self,
        template: str,
        *,
        to: People = (),
        cc: People = (),
        bcc: People = (),
        reply_to: People = (),
        context: Mapping[str, object] | None = None,
        secrets: Mapping[str, object] | None = None,
        within: Tx | None = None,
        idempotency_key: str | None = None,
        ttl: timedelta | None = None,
        send_at: datetime | None = None,
        lane: Lane = Lane.NORMAL,
        sender: str | Mailbox | None = None,
        on_uncertain: OnUncertain = "retry",
    ) -> UUID:
        """Enqueue a mail made from ``template`` and ``context``; return the delivery's id.

        ``secrets`` are template variables that are wiped once the delivery has ended and shown nowhere. With ``ttl`` the
        mail never leaves later than that after now; with ``send_at`` it leaves no earlier.

        Where nobody can know whether the server has the mail (it did not answer the final dot, or our worker died), it is tried
        again, and may come twice. With ``on_uncertain="hold"`` it is dead-lettered as ``uncertain`` instead, for a person to
        decide.

        Raises:
            InvalidInput (and InvalidAddress, TemplateNotFound, TemplateInvalid, InvalidMessage), IdempotencyConflict,
                UnusableTransaction: nothing was written.
            StoreUnavailable: the database failed; inside ``within`` your transaction cannot be committed any more.
        """
        letter = Letter(
            to=to,
            cc=cc,
            bcc=bcc,
            reply_to=reply_to,
            context=context,
            secrets=secrets,
            idempotency_key=idempotency_key,
        )
        common = self._common(template, ttl, send_at, lane, sender, on_uncertain)
        return await self._enqueue(orders.addressed(common, letter), within)

    async def enqueue_bulk(
        self,
        template: str,
        letters: Iterable[Letter],
        *,
        within: Tx | None = None,
        ttl: timedelta | None = None,
        send_at: datetime | None = None,
        lane: Lane = Lane.BULK,
        sender: str | Mailbox | None = None,
        on_uncertain: OnUncertain = "retry",
    ) -> tuple[UUID, ...]:
        """Enqueue many mails from one template in one statement; return their deliveries' ids, in the order of ``letters``.

        All are checked and rendered first. They travel in the bulk lane, unless you say otherwise. All are stored or, if it
        raises, none. A few thousand at a time is a good number: they are held in memory, and rendering holds the event loop.

        Raises: as ``enqueue_template``.
        """
        common = self._common(template, ttl, send_at, lane, sender, on_uncertain)
        deliveries = [
            await self._checked(orders.addressed(common, letter)) for letter in orders.letters(letters)
        ]
        return await self._store.enqueue_many(deliveries, within)

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """Open one of the store's own transactions, for ``within=``: commits on leaving, rolls back on an exception."""
        return self._store.transaction()

    # --- operators ---------------------------------------------------------------------------------------------------

    async def stats(self) -> Mapping[DeliveryStatus, int]:
        """The live count of deliveries by status; all four keys are always present."""
        return await self._store.stats()

    async def show(self, delivery_id: UUID) -> DeliveryRecord:
        """A delivery with its recipients, attempts and resends.

        Raises:
            UnknownDelivery: if there is none.
        """
        record = await self._store.find(questions.delivery_id(delivery_id))
        if record is None:
            raise UnknownDelivery(delivery_id)
        return record

    async def search(
        self,
        *,
        status: DeliveryStatus | None = None,
        template: str | None = None,
        recipient: str | None = None,
        limit: int = 50,
    ) -> tuple[DeliverySummary, ...]:
        """Deliveries that match, newest first, at most ``limit`` (1 to 1,000)."""
        return await self._store.search(questions.query(status, template, recipient, limit))

    async def audit(self, *, limit: int = 10) -> tuple[Breach, ...]:
        """The invariants that do not hold, each with at most ``limit`` (1 to 1,000) of the deliveries that break it.

        It reads every table once, some ten seconds for each million deliveries, locks nothing, and changes nothing.

        Raises:
            StoreUnavailable: if it takes longer than ten minutes.
        """
        return await self._store.audit(questions.listed(limit))

    async def shape(self, *, domains: int = 20) -> Shape:
        """Who waits, by age and recipient domain, at the ``domains`` (1 to 1,000) where most do; see ``domain.shape``."""
        return await self._store.shape(questions.listed(domains, "domains"), self.config.shape_most)

    async def resend(self, delivery_id: UUID, *, by: str) -> None:
        """Put a dead letter back into the queue, as ``by`` decided; its counters and its age start afresh.

        Raises:
            UnknownDelivery: if there is none.
            ResendRefused: unless it is a dead letter that has not expired and whose secrets are not wiped.
        """
        await self._store.resend(questions.delivery_id(delivery_id), orders.one_line(by, "by"))

    async def copy(self, delivery_id: UUID) -> UUID:
        """Enqueue the same mail once more, whatever became of the first, under a new id and Message-ID; return the id.

        It expires when the first does.

        Raises:
            UnknownDelivery: if there is none.
            ResendRefused: if its secrets are wiped or its validity is over.
        """
        record = await self.show(delivery_id)
        summary = record.summary
        validity = None if summary.expires_at is None else summary.expires_at - self._clock.now()
        if validity is not None and validity <= timedelta(0):
            raise ResendRefused(f"delivery {delivery_id} cannot be copied: it has expired")
        mail = await self._store.load_mail(delivery_id)
        order = Order(
            template=mail.template,
            recipients=mail.recipients,
            context=mail.context,
            secrets=mail.secrets,
            sender=mail.sender,
            ttl=validity,
            lane=summary.lane,
            hold_uncertain=record.hold_uncertain,
        )
        return await self._enqueue(order)

    async def purge(self, ended_before: timedelta) -> int:
        """Delete what ended longer ago than this, with all that is known of it; return how many deliveries that were.

        It goes in batches, each a short transaction, so it may take a while and disturbs nobody. What the administrator has
        yet to be told of stays.

        Raises:
            InvalidInput: if it is negative or longer than a century.
        """
        age, total = questions.age(ended_before), 0
        while purged := await self._store.purge(age, self.config.purge_batch):
            total += purged
        return total

    # --- one door ----------------------------------------------------------------------------------------------------

    def _common(
        self,
        template: str,
        ttl: timedelta | None,
        send_at: datetime | None,
        lane: Lane,
        sender: str | Mailbox | None,
        on_uncertain: OnUncertain,
    ) -> Order:
        """What all letters of one call share, checked."""
        validity = orders.ttl(ttl)
        return Order(
            template=orders.one_line(template, "template"),
            ttl=validity,
            send_at=orders.send_at(send_at, validity, self._clock.now()),
            lane=orders.lane(lane),
            hold_uncertain=orders.hold_uncertain(on_uncertain),
            sender=None if sender is None else orders.mailbox(sender, "sender"),
        )

    async def _enqueue(self, order: Order, within: Tx | None = None) -> UUID:
        return await self._store.enqueue(await self._checked(order), within)

    async def _checked(self, order: Order) -> NewDelivery:
        """The delivery; what could not be sent is the caller's error, now."""
        delivery = order.delivery(self._entropy.delivery_id(), self._sender)
        await self._composer.compose(self._composer.draft(delivery.mail, self._clock.now()))
        return delivery
