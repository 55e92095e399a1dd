"""PostgresStore: the port ``Store`` as statements. It decides nothing; it says what the statement said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import cast
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from galaxy_mail.adapters.postgres import arguments, reports, rows
from galaxy_mail.adapters.postgres.bell import PostgresBell
from galaxy_mail.adapters.postgres.border import border
from galaxy_mail.adapters.postgres.outages import PostgresOutages
from galaxy_mail.adapters.postgres.pools import Pool, PostgresTransaction, leaving_no_trace
from galaxy_mail.adapters.postgres.statements import Statements
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import (
    IdempotencyConflict,
    ResendRefused,
    StoreUnavailable,
    UnknownDelivery,
    UnusableTransaction,
)
from galaxy_mail.domain.invariants import Breach
from galaxy_mail.domain.leases import Absence, Claim, ClaimRequest, Held, Sign
from galaxy_mail.domain.mail import Mail, NewDelivery
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.records import DeliveryQuery, DeliveryRecord, DeliverySummary
from galaxy_mail.domain.settlement import Settlement
from galaxy_mail.domain.shape import Shape


class PostgresStore:
    """The outbox in one schema of a database, through the host's pool. Holds no state between calls."""

    def __init__(self, pool: Pool, schema: str = "galaxy_mail") -> None:
        self._pool = pool
        self._schema = schema
        self._sql = Statements(schema)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """A connection of the pool in a transaction, for ``within=``."""
        with border("transaction"):
            connection = await self._pool.acquire()
        try:
            transaction = connection.transaction()
            with border("transaction"):
                await transaction.start()
            try:
                yield connection
            except BaseException:
                # It is the caller's own: no border translates it, and no failed rollback takes its place.
                with suppress(StoreUnavailable), border("transaction"):
                    await transaction.rollback()
                raise
            with border("transaction"):
                await transaction.commit()
        finally:
            # What cannot be reset is closed by the pool.
            with suppress(StoreUnavailable), border("transaction"):
                await self._pool.release(connection)

    # --- Outbox ------------------------------------------------------------------------------------------------------

    async def enqueue(self, delivery: NewDelivery, within: PostgresTransaction | None = None) -> UUID:
        """See ``Outbox.enqueue``: one statement and one round trip, unless the idempotency key is taken."""
        if within is not None:
            _require_open_transaction(within)
        connection = self._pool if within is None else within
        with border("enqueue"), leaving_no_trace():
            while not await connection.fetchval(self._sql["enqueue"], *arguments.enqueue_arguments(delivery)):
                if owners := await self._owners(connection, [delivery]):
                    return owners[delivery.idempotency_key]
                # purged between the two statements: the key is free now
        return delivery.delivery_id

    async def enqueue_many(
        self, deliveries: Sequence[NewDelivery], within: PostgresTransaction | None = None
    ) -> tuple[UUID, ...]:
        """See ``Outbox.enqueue_many``: one statement, and one more if keys were taken."""
        if within is None:
            async with self.transaction() as own:
                return await self.enqueue_many(deliveries, own)
        _require_open_transaction(within)
        with border("enqueue_many"):
            async with within.transaction():  # a savepoint, so that a conflict takes all of them back
                columns = arguments.enqueue_columns(deliveries)
                stored = {
                    row["delivery_id"] for row in await within.fetch(self._sql["enqueue_many"], *columns)
                }
                left_out = [delivery for delivery in deliveries if delivery.delivery_id not in stored]
                owners = await self._owners(within, left_out)
                ids = []
                for delivery in deliveries:
                    first = delivery.delivery_id
                    if first not in stored:  # an owner that was purged meanwhile has left its key free
                        first = owners.get(delivery.idempotency_key) or await self.enqueue(delivery, within)
                    ids.append(first)
        return tuple(ids)

    async def _owners(
        self, connection: Pool | PostgresTransaction, deliveries: Sequence[NewDelivery]
    ) -> dict[str | None, UUID]:
        """The first deliveries with these keys. Raises ``IdempotencyConflict`` if one has other content."""
        if not deliveries:
            return {}
        found = await connection.fetch(self._sql["find_key"], *arguments.key_columns(deliveries))
        for row in found:
            if not row["same_content"]:
                raise IdempotencyConflict(row["delivery_id"])
        return {row["idempotency_key"]: row["delivery_id"] for row in found}

    # --- Queue -------------------------------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """See ``Queue.claim``; the claims of one call share a token."""
        found = await self._fetch("claim", *arguments.claim_arguments(request))
        return tuple(map(rows.claim_from, found))

    async def urgent_due(self) -> bool:
        """See ``Queue.urgent_due``."""
        ((due,),) = await self._fetch("urgent_due")
        return cast(bool, due)

    async def renew(
        self, claims: Sequence[Held], lease: timedelta, sign: Sign | None = None
    ) -> frozenset[UUID]:
        """See ``Queue.renew``."""
        return await self._lost("renew", claims, lease, sign)

    async def end_leases_of_the_gone(self, missed: frozenset[Sign]) -> Absence:
        """See ``Queue.end_leases_of_the_gone``."""
        (row,) = await self._fetch("end_leases_of_the_gone", list(missed))
        return Absence(frozenset(row["missing"]), row["ended"])

    async def release(self, claims: Sequence[Held]) -> frozenset[UUID]:
        """See ``Queue.release``."""
        return await self._lost("release", claims)

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[UUID]:
        """See ``Queue.settle``: any number of settlements in one statement."""
        if not settlements:
            return frozenset()
        lost = await self._fetch("settle", *arguments.settlement_columns(settlements))
        return frozenset(row["delivery_id"] for row in lost)

    async def take_notices(self, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        """See ``Queue.take_notices``."""
        return tuple(map(rows.notice_from, await self._fetch("take_notices", limit, hold)))

    async def mark_told(self, notices: Sequence[Notice]) -> None:
        """See ``Queue.mark_told``."""
        ids, ends = [notice.delivery_id for notice in notices], [notice.ended_at for notice in notices]
        await self._fetch("mark_told", ids, ends)

    def outages(self) -> PostgresOutages:
        """See ``Queue.outages``."""
        return PostgresOutages(self._fetch)

    def bell(self) -> PostgresBell:
        """See ``Queue.bell``."""
        return PostgresBell(self._pool, self._schema)

    async def _fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        with border(statement), leaving_no_trace():
            return await self._pool.fetch(self._sql[statement], *values)

    async def _lost(self, statement: str, claims: Sequence[Held], *others: object) -> frozenset[UUID]:
        if not claims:
            return frozenset()
        kept = await self._fetch(statement, *arguments.held_columns(claims), *others)
        return frozenset(held.delivery_id for held in claims) - {row["delivery_id"] for row in kept}

    # --- Operations --------------------------------------------------------------------------------------------------

    async def stats(self) -> Mapping[DeliveryStatus, int]:
        """See ``Operations.stats``."""
        counted = {row["status"]: row["number"] for row in await self._fetch("stats")}
        return {status: counted.get(status.value, 0) for status in DeliveryStatus}

    async def find(self, delivery_id: UUID) -> DeliveryRecord | None:
        """See ``Operations.find``; one snapshot for all four reads."""
        with border("find"):
            async with self._snapshot() as connection:
                row = await connection.fetchrow(self._sql["find"], delivery_id)
                if row is None:
                    return None
                recipients = await connection.fetch(self._sql["find_recipients"], delivery_id)
                attempts = await connection.fetch(self._sql["find_attempts"], delivery_id)
                resends = await connection.fetch(self._sql["find_resends"], delivery_id)
        return DeliveryRecord(
            rows.summary_from(row),
            row["message_id"],
            tuple(map(rows.recipient_record, recipients)),
            tuple(map(rows.attempt_record, attempts)),
            tuple(map(rows.resend_record, resends)),
            row["hold_uncertain"],
        )

    async def search(self, query: DeliveryQuery) -> tuple[DeliverySummary, ...]:
        """See ``Operations.search``."""
        found = await self._fetch("search", query.status, query.template, query.recipient, query.limit)
        return tuple(map(rows.summary_from, found))

    async def resend(self, delivery_id: UUID, by: str) -> None:
        """See ``Operations.resend``."""
        with border("resend"):
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(self._sql["lock_delivery"], delivery_id)
                row = await connection.fetchrow(self._sql["resend"], delivery_id, by)
        if row is None:
            raise UnknownDelivery(delivery_id)
        if row["resent"]:
            return
        if row["status"] != DeliveryStatus.DEAD_LETTERED:
            raise ResendRefused(
                f"delivery {delivery_id} is {row['status']}; only a dead letter can be resent"
            )
        cause = "it has expired" if row["expired"] else "its secrets were wiped when it ended"
        raise ResendRefused(f"delivery {delivery_id} cannot be sent any more: {cause}")

    async def purge(self, ended_before: timedelta, limit: int) -> int:
        """See ``Operations.purge``."""
        ((purged,),) = await self._fetch("purge", ended_before, limit)
        return cast(int, purged)

    async def audit(self, limit: int) -> tuple[Breach, ...]:
        """See ``Operations.audit``."""
        with border("audit"):
            async with self._snapshot() as snapshot:
                return await reports.audit(snapshot, self._sql, limit)

    async def shape(self, domains: int, most: int) -> Shape:
        """See ``Operations.shape``."""
        with border("shape"):
            async with self._snapshot() as snapshot:
                return await reports.shape(snapshot, self._sql, domains, most)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[PostgresTransaction]:
        """One state of the database, for several reads."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def load_mail(self, delivery_id: UUID) -> Mail:
        """See ``Operations.load_mail``."""
        found = await self._fetch("load_mail", delivery_id)
        if not found:
            raise UnknownDelivery(delivery_id)
        (row,) = found
        if row["wiped"]:
            raise ResendRefused(
                f"delivery {delivery_id} cannot be copied: its secrets were wiped when it ended"
            )
        try:
            return rows.mail_from(row)
        except (ValueError, TypeError):
            raise ResendRefused(f"delivery {delivery_id} cannot be copied: it cannot be read back") from None


def _require_open_transaction(within: object) -> None:
    if not isinstance(within, asyncpg.Connection | PoolConnectionProxy):
        raise UnusableTransaction("within: must be an asyncpg connection")
    # A connection that went back to its pool refuses every call with an InterfaceError.
    try:
        usable = not within.is_closed() and within.is_in_transaction()
    except asyncpg.InterfaceError:
        usable = False
    if not usable:
        raise UnusableTransaction(
            "within: this connection is not in a transaction, so the mail would not share its fate"
        )
