"""MemoryStore: the reference Store, for tests of this package and of its hosts. Nothing outlives the process."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from galaxy_mail.adapters.memory import auditing, claiming, reading, shaping
from galaxy_mail.adapters.memory.bell import MemoryBell
from galaxy_mail.adapters.memory.instants import StoreTime
from galaxy_mail.adapters.memory.outages import MemoryOutages
from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.adapters.memory.signs import Signs
from galaxy_mail.adapters.memory.transactions import MemoryTransaction, Table
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import IdempotencyConflict, ResendRefused, UnknownDelivery
from galaxy_mail.domain.invariants import OVERDUE_TAKEOVER, Breach
from galaxy_mail.domain.leases import Absence, Claim, ClaimRequest, Held, Sign, Unreadable
from galaxy_mail.domain.mail import Lane, Mail, NewDelivery
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.ports import Clock
from galaxy_mail.domain.records import DeliveryQuery, DeliveryRecord, DeliverySummary
from galaxy_mail.domain.settlement import Settlement
from galaxy_mail.domain.shape import Shape


class MemoryStore:
    """A Store with real transactions, in one event loop.

    ``clock`` is its authority on time (default: the system's), so a test that moves the clock moves the leases. Tokens are
    counted, not random: they are distinct within one store, and a run can be repeated exactly.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._time = StoreTime(clock)
        self._table = Table()
        self._outages = MemoryOutages(self._time)
        self.signs = Signs()
        self._serial = itertools.count(1)

    def __repr__(self) -> str:
        return f"<MemoryStore of {len(self._table.rows)} deliveries>"

    @property
    def rows(self) -> Mapping[UUID, Row]:
        """The committed rows by delivery id, for a test to look at."""
        return self._table.rows

    @property
    def open_transactions(self) -> int:
        """How many transactions have begun and not ended, for a test to look at."""
        return len(self._table.open)

    def transaction(self) -> AbstractAsyncContextManager[MemoryTransaction]:
        """See ``Store.transaction``."""
        return self._table.transaction()

    # --- Outbox ------------------------------------------------------------------------------------------------------

    async def enqueue(self, delivery: NewDelivery, within: MemoryTransaction | None = None) -> UUID:
        """See ``Outbox.enqueue``."""
        if within is None:
            async with self.transaction() as own:
                return await self.enqueue(delivery, own)
        if first := await self._table.claim_key(delivery.idempotency_key, within):
            if not first.stored.same_content(delivery):
                raise IdempotencyConflict(first.delivery_id)
            return first.delivery_id
        self._table.stage(Row.of(delivery, self._time.now()), within)
        return delivery.delivery_id

    async def enqueue_many(
        self, deliveries: Sequence[NewDelivery], within: MemoryTransaction | None = None
    ) -> tuple[UUID, ...]:
        """See ``Outbox.enqueue_many``."""
        if within is None:
            async with self.transaction() as own:
                return await self.enqueue_many(deliveries, own)
        self._table.require_open(within)
        with within.savepoint():
            return tuple([await self.enqueue(delivery, within) for delivery in deliveries])

    # --- Queue -------------------------------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """See ``Queue.claim``."""
        return claiming.take_due(
            self._table.rows.values(), request, self._time.now(), lambda: UUID(int=next(self._serial))
        )

    async def urgent_due(self) -> bool:
        """See ``Queue.urgent_due``."""
        now = self._time.now()
        return any(
            row.due(now) and not row.losses and row.lane is Lane.URGENT for row in self._table.rows.values()
        )

    async def renew(
        self, claims: Sequence[Held], lease: timedelta, sign: Sign | None = None
    ) -> frozenset[UUID]:
        """See ``Queue.renew``."""
        end = self._time.now() + lease
        return self._each(claims, lambda row: row.hold_until(end, sign))

    async def end_leases_of_the_gone(self, missed: frozenset[Sign]) -> Absence:
        """See ``Queue.end_leases_of_the_gone``."""
        now, missing = self._time.now(), self.signs.missing
        held = [row for row in self._table.rows.values() if row.token and row.next_attempt_at > now]
        left = [row for row in held if row.claimed_sign in missed & missing]
        for row in left:
            row.end_lease(now)
        if left:
            self._table.ring()
        else:
            self.signs.forget(missed & missing)
        return Absence(missing, len(left))

    async def release(self, claims: Sequence[Held]) -> frozenset[UUID]:
        """See ``Queue.release``."""
        return self._each(claims, Row.give_back)

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[UUID]:
        """See ``Queue.settle``."""
        now, lost = self._time.now(), set()
        for settlement in settlements:
            if row := self._holding(settlement.held):
                claiming.write(row, settlement, now)
            else:
                lost.add(settlement.held.delivery_id)
        return frozenset(lost)

    async def take_notices(self, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        """See ``Queue.take_notices``."""
        now = self._time.now()
        untold = [(row.notify_after, row) for row in self._table.rows.values() if row.notify_after]
        ready = sorted((each for each in untold if each[0] <= now), key=lambda each: each[0])[:limit]
        for _, row in ready:
            row.notify_after = now + hold
        return tuple(reading.notice(row) for _, row in ready)

    async def mark_told(self, notices: Sequence[Notice]) -> None:
        """See ``Queue.mark_told``."""
        for notice in notices:
            row = self._table.rows.get(notice.delivery_id)
            if row is not None and row.finished_at == notice.ended_at and row.notify_after is not None:
                row.notify_after, row.notified_at = None, self._time.now()

    def outages(self) -> MemoryOutages:
        """See ``Queue.outages``."""
        return self._outages

    def bell(self) -> MemoryBell:
        """See ``Queue.bell``."""
        return MemoryBell(self._table, self.signs)

    def _holding(self, held: Held) -> Row | None:
        """The fence: the row of a claim, if its token is the latest one issued for it and not yet spent."""
        row = self._table.rows.get(held.delivery_id)
        return row if row is not None and row.token == held.token else None

    def _each(self, claims: Iterable[Held], change: Callable[[Row], None]) -> frozenset[UUID]:
        lost = set()
        for held in claims:
            if row := self._holding(held):
                change(row)
            else:
                lost.add(held.delivery_id)
        return frozenset(lost)

    # --- Operations --------------------------------------------------------------------------------------------------

    async def stats(self) -> Mapping[DeliveryStatus, int]:
        """See ``Operations.stats``."""
        counted = Counter(row.status for row in self._table.rows.values())
        return {status: counted[status] for status in DeliveryStatus}

    async def find(self, delivery_id: UUID) -> DeliveryRecord | None:
        """See ``Operations.find``."""
        row = self._table.rows.get(delivery_id)
        return None if row is None else reading.record(row)

    async def search(self, query: DeliveryQuery) -> tuple[DeliverySummary, ...]:
        """See ``Operations.search``."""
        newest = sorted(self._table.rows.values(), key=lambda row: row.delivery_id, reverse=True)
        found = (reading.summary(row) for row in newest if reading.matches(row, query))
        return tuple(itertools.islice(found, query.limit))

    async def resend(self, delivery_id: UUID, by: str) -> None:
        """See ``Operations.resend``."""
        row, now = self._known(delivery_id), self._time.now()
        if row.status is not DeliveryStatus.DEAD_LETTERED:
            raise ResendRefused(f"delivery {delivery_id} is {row.status}; only a dead letter can be resent")
        if row.expires_at is not None and row.expires_at <= now:
            raise ResendRefused(f"delivery {delivery_id} cannot be sent any more: it has expired")
        self._require_secrets(row, "sent any more")
        row.revive(by, now)

    async def purge(self, ended_before: timedelta, limit: int) -> int:
        """See ``Operations.purge``."""
        cutoff = self._time.now() - ended_before
        ended = [(row.finished_at, row) for row in self._table.rows.values() if row.finished_at]
        old = [(at, row) for at, row in ended if at < cutoff and row.notify_after is None]
        gone = [row for _, row in sorted(old, key=lambda each: each[0])[:limit]]
        self._table.forget(gone)
        self._outages.forget(cutoff)
        return len(gone)

    async def audit(self, limit: int) -> tuple[Breach, ...]:
        """See ``Operations.audit``."""
        now = self._time.now()
        since = self._outages.relay_left_alone(now - OVERDUE_TAKEOVER)
        return auditing.breaches(self._table.rows.values(), limit, now, since)

    async def shape(self, domains: int, most: int) -> Shape:
        """See ``Operations.shape``."""
        return shaping.shape(self._table.rows.values(), domains, most, self._time.now())

    async def load_mail(self, delivery_id: UUID) -> Mail:
        """See ``Operations.load_mail``."""
        row = self._known(delivery_id)
        self._require_secrets(row, "copied")
        mail = row.mail()
        if isinstance(mail, Unreadable):
            raise ResendRefused(f"delivery {delivery_id} cannot be copied: it cannot be read back")
        return mail

    def _known(self, delivery_id: UUID) -> Row:
        if row := self._table.rows.get(delivery_id):
            return row
        raise UnknownDelivery(delivery_id)

    def _require_secrets(self, row: Row, purpose: str) -> None:
        if row.stored.wiped:
            raise ResendRefused(
                f"delivery {row.delivery_id} cannot be {purpose}: its secrets were wiped when it ended"
            )
