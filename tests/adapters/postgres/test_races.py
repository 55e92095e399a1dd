"""Statements that meet in the middle: what one reads must be of one time with the row that it locks.

Under READ COMMITTED a statement that waits for a row goes on with the row as it is then, and with everything else as it was
when the statement began. Invariant: no claim and no resend sees recipients or secrets of an earlier time than its delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from galaxy_mail.adapters.postgres import PostgresStore, PostgresTransaction
from galaxy_mail.adapters.postgres.arguments import settlement_columns
from galaxy_mail.domain.delivery import RecipientState
from galaxy_mail.domain.errors import IdempotencyConflict, ResendRefused
from galaxy_mail.domain.mail import NewDelivery
from galaxy_mail.domain.settlement import Settlement
from galaxy_mail.domain.verdicts import SmtpReply, Stage
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    CC,
    NO_SUCH_USER,
    TO,
    claim,
    claim_one,
    new_delivery,
    settlement,
)
from tests.adapters.postgres.harness import PostgresHarness

TOO_MANY = (Stage.RCPT, SmtpReply(452, "4.5.3 too many recipients", "4.5.3"))
WAITING = (
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%' || $1 || '%'"
)


@pytest.fixture
async def postgres(postgres_dsn: str, schema_name: str) -> AsyncIterator[PostgresHarness]:
    """A fresh schema."""
    postgres = await PostgresHarness.open(postgres_dsn, schema_name)
    yield postgres
    await postgres.aclose()


async def settle_in(connection: PostgresTransaction, store: PostgresStore, settled: Settlement) -> None:
    """Settle within a transaction that is still open."""
    assert await connection.fetch(store._sql["settle"], *settlement_columns([settled])) == []


async def someone_waits(postgres: PostgresHarness) -> None:
    """Return once a statement on this schema waits for a lock."""
    while not await postgres.pool.fetchval(WAITING, postgres.schema):  # noqa: ASYNC110 - a wait sends no event
        await asyncio.sleep(0)


async def test_a_resend_sees_what_the_settlement_it_waited_for_has_done(postgres: PostgresHarness) -> None:
    """Secrets wiped by it are seen to be wiped; recipients refused by it are opened again."""
    store = postgres.store
    for secrets in (None, {"code": "493817"}):
        order = new_delivery(secrets=secrets)
        await store.enqueue(order)
        claimed = await claim_one(store)
        async with postgres.pool.acquire() as settling, settling.transaction():
            await settle_in(settling, store, settlement(claimed, NO_SUCH_USER))
            resending = asyncio.ensure_future(store.resend(order.delivery_id, by="grace"))
            await someone_waits(postgres)
        if secrets:
            with pytest.raises(ResendRefused, match="secrets"):
                await resending
        else:
            await resending
            assert len((await claim_one(store)).open_positions) == 1


@pytest.mark.parametrize("lost, looks_at", [(0, "lane = 1"), (1, "abandoned > 0)")])
async def test_a_claim_never_sees_recipients_of_before_a_settlement(
    postgres: PostgresHarness, monkeypatch: pytest.MonkeyPatch, lost: int, looks_at: str
) -> None:
    """Claimed and settled between a claim's beginning and its lock, a delivery is left to the next claim, which sees who
    accepted; a suspect too.
    """
    store, other = postgres.store, PostgresStore(postgres.pool, postgres.schema)
    await store.enqueue(new_delivery(people=((TO, "ada@example.org"), (CC, "bob@example.org"))))
    for _ in range(lost):
        await claim_one(store, lease=timedelta(0))
        await store.release([(await claim_one(store)).held])
    begun = f"{looks_at} and (select pg_advisory_xact_lock_shared(7)) is not null"
    monkeypatch.setitem(store._sql._texts, "claim", store._sql["claim"].replace(looks_at, begun))
    async with postgres.pool.acquire() as gate, gate.transaction():
        await gate.execute("select pg_advisory_xact_lock(7)")
        async with postgres.pool.acquire() as settling, settling.transaction():
            await settling.execute("select now()")  # before the claim's, so the retry is due for the claim
            claiming = asyncio.ensure_future(claim(store))
            await someone_waits(postgres)
            await settle_in(settling, store, settlement(await claim_one(other), ACCEPTED, TOO_MANY))
    assert await claiming == ()
    assert (await claim_one(other)).recipient_states == (RecipientState.ACCEPTED, RecipientState.OPEN)


async def test_a_key_whose_owner_has_no_payload_is_a_conflict(postgres: PostgresHarness) -> None:
    """Nobody can say that the content is the same; and nobody goes round in circles for it."""
    first = new_delivery(key="k")
    await postgres.store.enqueue(first)
    await postgres.pool.execute(f'delete from "{postgres.schema}".mail_payloads')
    for call in (
        postgres.store.enqueue(new_delivery(key="k")),
        postgres.store.enqueue_many([new_delivery(key="k")]),
    ):
        with pytest.raises(IdempotencyConflict):
            await call


async def test_an_owner_purged_in_the_middle_leaves_its_key_free(
    postgres: PostgresHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone between the insert that met it and the question who it was: the order is stored after all, in its place."""
    store, ask = postgres.store, postgres.store._owners
    await store.enqueue(new_delivery(key="k"))

    async def too_late(
        connection: PostgresTransaction, deliveries: Sequence[NewDelivery]
    ) -> dict[str | None, UUID]:
        await connection.execute(
            f"delete from \"{postgres.schema}\".mail_deliveries where idempotency_key = 'k'"
        )
        return await ask(connection, deliveries)

    monkeypatch.setattr(store, "_owners", too_late)
    orders = [new_delivery(), new_delivery(key="k"), new_delivery()]
    assert await store.enqueue_many(orders) == tuple(order.delivery_id for order in orders)
