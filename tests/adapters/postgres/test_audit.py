"""Each invariant that ``audit.sql`` asks about is found where it is broken, by hands that galaxy_mail does not have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from galaxy_mail.domain.errors import StoreUnavailable
from galaxy_mail.domain.invariants import Breach, Invariant
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    NO_SUCH_USER,
    claim,
    claim_one,
    new_delivery,
    settle,
)
from tests.adapters.postgres.harness import PostgresHarness

DELIVERIES, ATTEMPTS, RECIPIENTS, PAYLOADS, TALLY = (
    f"update {{schema}}.mail_{table} set "
    for table in ("deliveries", "attempts", "recipients", "payloads", "tally")
)
UNGUARDED = """
alter table {schema}.mail_deliveries
    drop constraint terminal_is_finished, drop constraint dead_letter_has_reason, drop constraint terminal_is_not_claimed
"""
# What breaks it, by hand, in an outbox with a mail that is sent, one that is dead, one that waits and one that is held.
PLANTED: list[tuple[Invariant, str]] = [
    (Invariant.LEASES_END, DELIVERIES + "next_attempt_at = now() - interval '16 minutes' where claim_token is not null"),
    (Invariant.LEASES_END, DELIVERIES + "next_attempt_at = now() + interval '62 minutes' where claim_token is not null"),
    (Invariant.ENDED_IS_FREE, DELIVERIES + "claim_token = gen_random_uuid() where status = 'sent'"),
    (Invariant.ENDED_IS_DATED, DELIVERIES + "finished_at = null where status = 'sent'"),
    (Invariant.ENDED_IS_DATED, DELIVERIES + "finished_at = now() where status = 'pending'"),
    (Invariant.DEAD_LETTERS_SAY_WHY, DELIVERIES + "dead_letter_reason = null"),
    (Invariant.DEAD_LETTERS_SAY_WHY, DELIVERIES + "dead_letter_reason = 'expired' where status = 'sent'"),
    (Invariant.ATTEMPTS_ARE_COUNTED, DELIVERIES + "attempts = 0"),
    (Invariant.ATTEMPTS_ARE_COUNTED, ATTEMPTS + "burned = not burned"),
    (Invariant.ATTEMPTS_ARE_COUNTED, "insert into {schema}.mail_resends select delivery_id, now(), 'eve', 1 from {schema}.mail_attempts"),
    (Invariant.LOSSES_ARE_COUNTED, DELIVERIES + "abandoned = 3"),
    (Invariant.LOSSES_ARE_COUNTED, ATTEMPTS + "stage = 'abandoned'"),
    (Invariant.ATTEMPTS_HAD_A_CLAIM, DELIVERIES + "claims = 0"),
    (Invariant.ATTEMPTS_HAD_A_CLAIM, "insert into {schema}.mail_resends select delivery_id, now(), 'eve', 7 from {schema}.mail_attempts"),
    (Invariant.SENT_WAS_ACCEPTED, RECIPIENTS + "state = 'refused'"),
    (Invariant.SENT_WAS_ACCEPTED, "delete from {schema}.mail_attempts"),
    (Invariant.SENT_WAS_ACCEPTED, DELIVERIES + "status = 'sent', dead_letter_reason = null"),
    (Invariant.LIVING_WAITS_FOR_SOMEBODY, RECIPIENTS + "state = 'refused'"),
    (Invariant.LIVING_WAITS_FOR_SOMEBODY, "delete from {schema}.mail_recipients"),
    (Invariant.ENDED_WAITS_FOR_NOBODY, RECIPIENTS + "state = 'open'"),
    (Invariant.ENDED_WAITS_FOR_NOBODY, RECIPIENTS + "state = 'accepted'"),
    (Invariant.ENDS_ARE_LEFT_BY_RESENDS, DELIVERIES + "status = 'pending', finished_at = null, dead_letter_reason = null"),
    (Invariant.ENDS_ARE_LEFT_BY_RESENDS, PAYLOADS + "secrets = null, secrets_wiped_at = now()"),
    (Invariant.ENDS_ARE_LEFT_BY_RESENDS, DELIVERIES + "notified_at = now()"),
    (Invariant.HELD_WAITS_FOR_A_PERSON, DELIVERIES + "hold_uncertain = true, claims = 2; " + ATTEMPTS + "ambiguous = true"),
    (Invariant.SECRETS_ARE_WIPED, PAYLOADS + "secrets = '{}'"),
    (Invariant.NOTHING_WENT_AFTER_EXPIRY, DELIVERIES + "expires_at = now() - interval '11 minutes', claimed_at = '2000-01-01'"),
    (Invariant.NOTHING_WENT_AFTER_EXPIRY, DELIVERIES + "expires_at = claimed_at"),
    (Invariant.TALLY_AGREES, TALLY + "number = number + 1 where status = 'sent'"),
    (Invariant.TALLY_AGREES, "delete from {schema}.mail_deliveries where status = 'dead_lettered'"),
]  # fmt: skip


@pytest.fixture
async def postgres(postgres_dsn: str, schema_name: str) -> AsyncIterator[PostgresHarness]:
    """An outbox with one delivery in each state, none of which breaks anything."""
    harness = await PostgresHarness.open(postgres_dsn, schema_name)
    store = harness.store
    for said in (ACCEPTED, NO_SUCH_USER):
        await store.enqueue(new_delivery(secrets={"code": "493817"}))
        await settle(store, await claim_one(store), said)
    for _ in range(2):
        await store.enqueue(new_delivery(secrets={"code": "493817"}))
    await claim(store, 1)
    assert await store.audit(limit=10) == ()
    yield harness
    await harness.aclose()


async def damage(postgres: PostgresHarness, *hands: str) -> None:
    """Do what no statement of ours does."""
    for hand in hands:
        await postgres.pool.execute(hand.replace("{schema}", postgres.schema))


async def test_every_planted_breach_is_found(postgres: PostgresHarness) -> None:
    """Each by the invariant that has the sentence for it, at a delivery of the outbox."""
    await damage(postgres, UNGUARDED)
    ids = set(await every_id(postgres))
    tables = (
        "mail_deliveries",
        "mail_payloads",
        "mail_recipients",
        "mail_attempts",
        "mail_resends",
        "mail_tally",
    )
    for table in tables:
        await damage(postgres, f"create table {{schema}}.{table}_sound as table {{schema}}.{table}")
    for invariant, hand in PLANTED:
        await damage(postgres, hand)
        found = {breach.invariant: breach.delivery_ids for breach in await postgres.store.audit(limit=10)}
        assert invariant in found, (invariant, hand)
        assert set(found[invariant]) <= ids
        assert bool(found[invariant]) is (invariant is not Invariant.TALLY_AGREES)
        await damage(postgres, "truncate {schema}.mail_deliveries, {schema}.mail_tally cascade")
        for table in tables:
            await damage(postgres, f"insert into {{schema}}.{table} table {{schema}}.{table}_sound")
    assert await postgres.store.audit(limit=10) == ()


async def every_id(postgres: PostgresHarness) -> list[UUID]:
    """All deliveries, the first one first."""
    query = f"select delivery_id from {postgres.schema}.mail_deliveries order by delivery_id"
    return [row["delivery_id"] for row in await postgres.pool.fetch(query)]


def test_every_invariant_is_broken_once() -> None:
    """None is asked whose teeth nobody has seen."""
    assert {invariant for invariant, _ in PLANTED} == set(Invariant)


async def test_an_audit_names_the_first_that_break_it(postgres: PostgresHarness) -> None:
    """At most as many as asked for, and the oldest of them."""
    await damage(postgres, DELIVERIES + "abandoned = 3")
    ids = await every_id(postgres)
    for limit in (1, 3):
        assert await postgres.store.audit(limit) == (
            Breach(Invariant.LOSSES_ARE_COUNTED, tuple(ids[:limit])),
        )


async def test_an_audit_does_not_wait_for_ever(
    postgres: PostgresHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a lock that somebody holds it ends by itself, and its connection is as it was."""
    monkeypatch.setattr("galaxy_mail.adapters.postgres.reports.AUDIT_SECONDS", 0.05)
    async with postgres.pool.acquire() as other, other.transaction():
        await other.execute(f"lock table {postgres.schema}.mail_deliveries in access exclusive mode")
        with pytest.raises(StoreUnavailable) as ended:
            await postgres.store.audit(limit=1)
    assert ended.value.sqlstate == "57014"
    assert await postgres.pool.fetchval("show statement_timeout") == "0"
