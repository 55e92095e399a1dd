"""The account: what the tables say against what the inbox has, joined by Message-ID and envelope recipient. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from galaxy_mail.app.demo.inbox import Arrival
from galaxy_mail.app.demo.scenario import ADMIN, Ordered
from galaxy_mail.domain.delivery import DeliveryStatus, RecipientState
from galaxy_mail.domain.records import DeliveryRecord


@attrs.frozen
class Figures:
    """The demo's last line."""

    # deliveries in the tables
    enqueued: int
    # those of them that are sent
    sent: int
    # those of them that were given up
    dead_lettered: int
    # messages at the inbox, counted once for each recipient it accepted; the administrator's notice is no delivery and not counted
    copies_received: int
    # orders without a delivery, deliveries that have not ended, and recipients accepted by the tables without a copy at the inbox
    lost: int
    # copies beyond the first, for one Message-ID and recipient
    duplicates: int
    # from the first line to the last
    seconds: float


@attrs.frozen
class Account:
    """All that is known once the worker has found nothing more to do."""

    ordered: Sequence[Ordered]
    records: Sequence[DeliveryRecord]
    arrivals: Sequence[Arrival]
    customers: Sequence[str]

    @property
    def copies(self) -> Counter[tuple[str, str]]:
        """How many copies the inbox has, by Message-ID and recipient, of mails that are in the tables."""
        known = {record.message_id for record in self.records}
        return Counter(
            (arrival.message_id, recipient)
            for arrival in self.arrivals
            for recipient in arrival.recipients
            if arrival.message_id in known
        )

    def copies_of(self, record: DeliveryRecord) -> int:
        """How many copies of one delivery the inbox has, over all recipients."""
        return sum(
            number for (message_id, _), number in self.copies.items() if message_id == record.message_id
        )

    def notice_of(self, record: DeliveryRecord) -> Arrival | None:
        """The mail that told the administrator of this delivery."""
        name = str(record.summary.delivery_id).encode()
        return next((one for one in self.arrivals if one.recipients == (ADMIN,) and name in one.octets), None)

    def figures(self, seconds: float) -> Figures:
        """The sums."""
        statuses = Counter(record.summary.status for record in self.records)
        copies = self.copies
        return Figures(
            enqueued=len(self.records),
            sent=statuses[DeliveryStatus.SENT],
            dead_lettered=statuses[DeliveryStatus.DEAD_LETTERED],
            copies_received=copies.total(),
            lost=len(list(self._lost())),
            duplicates=copies.total() - len(copies),
            seconds=round(seconds, 2),
        )

    def _lost(self) -> Iterator[str]:
        known = {record.summary.delivery_id for record in self.records}
        copies = self.copies
        for order in self.ordered:
            if order.delivery_id not in known:
                yield f"{order.title}: ordered, and not in the tables"
        for record in self.records:
            if not record.summary.status.terminal:
                yield f"{record.summary.delivery_id}: has not ended"
            for recipient in record.recipients:
                accepted = recipient.state is RecipientState.ACCEPTED
                if accepted and not copies[record.message_id, recipient.address]:
                    yield f"{record.summary.delivery_id}: accepted for {recipient.address}, and not in the inbox"

    def grievances(self) -> list[str]:
        """Whatever does not add up, in words; empty if everything does."""
        return [*self._lost(), *self._surplus(), *self._unlike_ordered(), *self._untold()]

    def _surplus(self) -> Iterator[str]:
        orders = {order.delivery_id for order in self.ordered}
        accepted = {
            (record.message_id, recipient.address)
            for record in self.records
            for recipient in record.recipients
            if recipient.state is RecipientState.ACCEPTED
        }
        for record in self.records:
            if record.summary.delivery_id not in orders:
                yield f"{record.summary.delivery_id}: in the tables, and never ordered"
        for copy, number in self.copies.items():
            if number > 1:
                yield f"{copy[1]}: has {number} copies of {copy[0]}"
            if copy not in accepted:
                yield f"{copy[1]}: has a copy of {copy[0]} that the tables know nothing of"
        known = {record.message_id for record in self.records}
        for arrival in self.arrivals:
            if arrival.message_id not in known and arrival.recipients != (ADMIN,):
                yield f"{', '.join(arrival.recipients)}: has a mail that is not in the tables"

    def _unlike_ordered(self) -> Iterator[str]:
        found = {record.summary.delivery_id: record for record in self.records}
        for order in self.ordered:
            if record := found.get(order.delivery_id):
                ended = (record.summary.status, len(record.attempts))
                if ended != (order.ends, order.attempts):
                    yield f"{order.title}: {ended[0]} after {ended[1]} attempts, not {order.ends} after {order.attempts}"
        if self.customers != ["Zoë"]:
            yield f"the shop's customers are {self.customers}: not those whose transaction was committed"

    def _untold(self) -> Iterator[str]:
        for record in self.records:
            if record.summary.status is DeliveryStatus.DEAD_LETTERED and self.notice_of(record) is None:
                yield f"{record.summary.delivery_id}: dead-lettered, and the administrator was not told"
