"""Each invariant is found where a row of the memory store breaks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import attrs
import pytest

from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.invariants import LATE_COMMIT, LONGEST_LEASE, OVERDUE_TAKEOVER, Breach, Invariant
from galaxy_mail.domain.records import ResendRecord
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    NO_SUCH_USER,
    claim,
    claim_one,
    new_delivery,
    settle,
)
from tests.adapters.memory.harness import MemoryHarness

SENT, DEAD, HELD, WAITING = range(4)
INSTANT = timedelta(milliseconds=1)
Hand = Callable[[Row], object]


def put(**changes: object) -> Hand:
    """Set fields of a row."""

    def hand(row: Row) -> None:
        for name, value in changes.items():
            setattr(row, name, value)

    return hand


def everyone(state: RecipientState) -> Hand:
    """Set the state of all recipients."""

    def hand(row: Row) -> None:
        for each in row.recipients:
            each.state = state

    return hand


def move(name: str, by: timedelta) -> Hand:
    """Move an instant of a row."""
    return lambda row: setattr(row, name, getattr(row, name) + by)


def attempt(**changes: Any) -> Hand:
    """Write the attempt anew, which no statement does."""
    return lambda row: row.log.append(attrs.evolve(row.log.pop(), **changes))


def resent_after(number: int) -> Hand:
    """Put a resend on record that never was."""
    return lambda row: row.resends.append(ResendRecord(row.created_at, "eve", number))


PLANTED: list[tuple[Invariant, int, Hand]] = [
    (
        Invariant.LEASES_END,
        HELD,
        move("next_attempt_at", -timedelta(minutes=20) - OVERDUE_TAKEOVER - INSTANT),
    ),
    (Invariant.LEASES_END, HELD, move("next_attempt_at", LONGEST_LEASE)),
    (Invariant.ENDED_IS_FREE, SENT, put(token=UUID(int=7))),
    (Invariant.ENDED_IS_DATED, SENT, put(finished_at=None)),
    (Invariant.ENDED_IS_DATED, WAITING, lambda row: setattr(row, "finished_at", row.created_at)),
    (Invariant.DEAD_LETTERS_SAY_WHY, DEAD, put(reason=None)),
    (Invariant.DEAD_LETTERS_SAY_WHY, SENT, put(reason=DeadLetterReason.EXPIRED)),
    (Invariant.ATTEMPTS_ARE_COUNTED, SENT, put(attempts=0)),
    (Invariant.ATTEMPTS_ARE_COUNTED, SENT, attempt(burned=False)),
    (Invariant.ATTEMPTS_ARE_COUNTED, DEAD, resent_after(1)),
    (Invariant.LOSSES_ARE_COUNTED, WAITING, put(abandoned=3)),
    (Invariant.LOSSES_ARE_COUNTED, SENT, attempt(stage="abandoned")),
    (Invariant.ATTEMPTS_HAD_A_CLAIM, SENT, put(claims=0)),
    (Invariant.ATTEMPTS_HAD_A_CLAIM, DEAD, resent_after(7)),
    (Invariant.SENT_WAS_ACCEPTED, SENT, everyone(RecipientState.REFUSED)),
    (Invariant.SENT_WAS_ACCEPTED, SENT, lambda row: row.log.clear()),
    (Invariant.SENT_WAS_ACCEPTED, DEAD, put(status=DeliveryStatus.SENT)),
    (Invariant.LIVING_WAITS_FOR_SOMEBODY, WAITING, everyone(RecipientState.REFUSED)),
    (Invariant.LIVING_WAITS_FOR_SOMEBODY, HELD, lambda row: row.recipients.clear()),
    (Invariant.ENDED_WAITS_FOR_NOBODY, SENT, everyone(RecipientState.OPEN)),
    (Invariant.ENDED_WAITS_FOR_NOBODY, DEAD, everyone(RecipientState.ACCEPTED)),
    (Invariant.ENDS_ARE_LEFT_BY_RESENDS, DEAD, put(status=DeliveryStatus.PENDING)),
    (Invariant.ENDS_ARE_LEFT_BY_RESENDS, WAITING, lambda row: row.stored.wipe()),
    (Invariant.ENDS_ARE_LEFT_BY_RESENDS, HELD, lambda row: setattr(row, "notified_at", row.created_at)),
    (
        Invariant.HELD_WAITS_FOR_A_PERSON,
        DEAD,
        lambda row: (put(hold_uncertain=True, claims=2)(row), attempt(ambiguous=True)(row)),
    ),
    (Invariant.SECRETS_ARE_WIPED, SENT, lambda row: setattr(row.stored, "secrets", "{}")),
    (Invariant.NOTHING_WENT_AFTER_EXPIRY, SENT, lambda row: setattr(row, "expires_at", row.claimed_at)),
    (
        Invariant.NOTHING_WENT_AFTER_EXPIRY,
        SENT,
        lambda row: put(claimed_at=None, expires_at=row.log[0].started_at - LATE_COMMIT - INSTANT)(row),
    ),
]


async def outbox() -> tuple[MemoryHarness, list[Row]]:
    """A store with a mail that is sent, one that is dead, one that is held and one that waits; none breaks anything."""
    harness = MemoryHarness()
    for said in (ACCEPTED, NO_SUCH_USER):
        await harness.store.enqueue(new_delivery(secrets={"code": "493817"}))
        await settle(harness.store, await claim_one(harness.store), said)
    for _ in range(2):
        await harness.store.enqueue(new_delivery(secrets={"code": "493817"}))
    await claim(harness.store, 1)
    assert await harness.store.audit(limit=10) == ()
    return harness, list(harness.store.rows.values())


@pytest.mark.parametrize("invariant, which, hand", PLANTED)
async def test_every_planted_breach_is_found(invariant: Invariant, which: int, hand: Hand) -> None:
    """By the invariant that has the sentence for it, at that row alone."""
    harness, rows = await outbox()
    hand(rows[which])
    assert Breach(invariant, (rows[which].delivery_id,)) in await harness.store.audit(limit=10)


def test_every_invariant_is_broken_once() -> None:
    """But for the tally: this store keeps none."""
    assert {invariant for invariant, _, _ in PLANTED} == set(Invariant) - {Invariant.TALLY_AGREES}


async def test_an_audit_names_the_first_that_break_it() -> None:
    """At most as many as asked for, the oldest first."""
    harness, rows = await outbox()
    for row in rows:
        row.abandoned = 3
    first = tuple(row.delivery_id for row in rows[:2])
    assert await harness.store.audit(limit=2) == (Breach(Invariant.LOSSES_ARE_COUNTED, first),)
