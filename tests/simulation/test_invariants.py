"""Each invariant is awake: books that were in order are not any more after one entry was falsified."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import attrs
import pytest

from galaxy_mail.adapters.memory.outages import OutageRow
from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.outages import RELAY
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, Stage
from tests.simulation import invariants, promises
from tests.simulation.audit import ALL, Invariant, broken
from tests.simulation.books import Books
from tests.simulation.clocks import GENESIS
from tests.simulation.database import Change
from tests.simulation.ledger import Begun
from tests.simulation.world import World

NOBODY = UUID(int=1)


@pytest.fixture(scope="module")
def clean() -> Books:
    """The books of a world in which some mail was sent to a single recipient at its first attempt."""
    candidates = (World(seed).run() for seed in range(100))
    return next(books for books in candidates if any(map(_simple, books.rows.values())))


def _simple(row: Row) -> bool:
    return (
        row.status is DeliveryStatus.SENT
        and len(row.recipients) == len(row.log) == row.claims == 1
        and row.expires_at is not None
    )


def _row(books: Books) -> Row:
    return next(filter(_simple, books.rows.values()))


def _without_copies(books: Books) -> Books:
    return attrs.evolve(books, copies=[])


def _with_copies_twice(books: Books) -> Books:
    again = [attrs.evolve(each, queue_id=f"{each.queue_id}-again") for each in books.copies]
    return attrs.evolve(books, copies=[*books.copies, *again])


def _leased(books: Books) -> Books:
    _row(books).token = NOBODY
    return books


def _miscounted(books: Books) -> Books:
    _row(books).attempts += 1
    return books


def _risen(books: Books) -> Books:
    row = _row(books)
    rising = Change(1.0, "w", "settle", row.delivery_id, DeliveryStatus.SENT, DeliveryStatus.RETRYING, 0)
    return attrs.evolve(books, changes=[*books.changes, rising])


def _unproved(books: Books) -> Books:
    _row(books).log.clear()
    return books


def _in_two_shapes(books: Books) -> Books:
    other = attrs.evolve(books.copies[0], digest=b"another")
    return attrs.evolve(books, copies=[*books.copies, other])


def _expired(books: Books) -> Books:
    row = _row(books)
    row.expires_at = row.created_at
    return books


def _unknown(books: Books) -> Books:
    stranger = attrs.evolve(books.copies[0], message_id="stranger@example.org")
    return attrs.evolve(books, copies=[*books.copies, stranger])


def _lied_to(books: Books) -> Books:
    return attrs.evolve(books, promised=books.promised | {NOBODY})


def _not_rolled_back(books: Books) -> Books:
    return attrs.evolve(books, taken_back=frozenset(books.rows))


def _lost(books: Books) -> Books:
    _row(books).status = DeliveryStatus.RETRYING
    return books


def _without_reason(books: Books) -> Books:
    row = _row(books)
    row.status, row.reason = DeliveryStatus.DEAD_LETTERED, DeadLetterReason.EXHAUSTED
    return books


def _abandoned(books: Books) -> Books:
    row = _row(books)
    row.log[0] = attrs.evolve(row.log[0], stage=Stage.ABANDONED, burned=True, worker="nobody")
    return attrs.evolve(books, excuses={**books.excuses, "nobody": []})


def _tried_after_silence(books: Books) -> Books:
    row = _row(books)
    row.hold_uncertain, row.claims = True, 2
    row.log[0] = attrs.evolve(row.log[0], ambiguous=True)
    return books


def _closed_twice(books: Books) -> Books:
    return attrs.evolve(books, closed=books.closed | {(_row(books).delivery_id, 1)})


def _usurped(books: Books) -> Books:
    return attrs.evolve(books, usurpers=("somebody won with another token",))


def _without_lease(books: Books) -> Books:
    return attrs.evolve(books, bodies=[Begun("x", "w", 1.0, leased=False)])


def _untold(books: Books) -> Books:
    row = _row(books)
    row.recipients[0].state = RecipientState.REFUSED
    row.finished_at = row.created_at - timedelta(days=1)
    return books


def _outage(opened_at: datetime) -> OutageRow:
    cause = classify(Stage.CONNECT, Fault.UNREACHABLE)
    return OutageRow(UUID(int=1), RELAY, cause, opened_at, opened_at, None)


def _sent_in_an_endless_outage(books: Books) -> Books:
    row = _row(books)
    row.log = [attrs.evolve(each, started_at=GENESIS + timedelta(days=1)) for each in row.log]
    return attrs.evolve(books, outages=[_outage(GENESIS)])


def _untold_outage(books: Books) -> Books:
    return attrs.evolve(books, outages=[_outage(GENESIS)])


def _deaf(books: Books) -> Books:
    return attrs.evolve(books, deaf=("worker-1",))


def _crashed(books: Books) -> Books:
    return attrs.evolve(books, troubles=("a worker crashed",))


FORGERIES: tuple[tuple[Invariant, Callable[[Books], Books]], ...] = (
    (invariants.i0_sent_has_a_copy, _without_copies),
    (invariants.i1_success_joins_the_ledger, _without_copies),
    (invariants.i2_every_copy_is_accounted_for, _with_copies_twice),
    (invariants.i3_nothing_is_leased, _leased),
    (invariants.i4_attempts_are_burned_rows, _miscounted),
    (invariants.i5_the_end_is_final, _risen),
    (invariants.i6_sent_has_a_success, _unproved),
    (invariants.i7_copies_are_equal, _in_two_shapes),
    (invariants.i8_nothing_after_expiry, _expired),
    (invariants.i9_every_copy_is_ours, _unknown),
    (invariants.the_shipped_audit_agrees, _miscounted),
    (promises.p1_a_promise_is_kept, _lied_to),
    (promises.p1_a_promise_is_kept, _not_rolled_back),
    (promises.p2_nothing_is_lost, _lost),
    (promises.p2_nothing_is_lost, _without_reason),
    (promises.p3_what_is_held_waits_for_a_person, _tried_after_silence),
    (promises.p4_a_healthy_worker_keeps_its_leases, _abandoned),
    (promises.p5_every_claim_is_closed_once, _closed_twice),
    (promises.p5_only_the_latest_token_wins, _usurped),
    (promises.p5_no_body_without_a_lease, _without_lease),
    (promises.p7_outages_burn_nothing, _abandoned),
    (promises.p7_an_outage_ends, _sent_in_an_endless_outage),
    (promises.p7_an_outage_is_told, _untold_outage),
    (promises.p11_who_is_asked_to_stop_stops, _deaf),
    (promises.p15_somebody_was_told, _untold),
    (promises.the_world_ended, _crashed),
)


@pytest.mark.parametrize("invariant, forge", FORGERIES)
def test_an_invariant_sees_what_it_forbids(
    clean: Books, invariant: Invariant, forge: Callable[[Books], Books]
) -> None:
    """It holds before one entry is falsified, and not after."""
    assert broken(clean) == []
    forged = forge(attrs.evolve(clean, rows=copy.deepcopy(dict(clean.rows))))
    assert list(invariant(forged))


def test_each_invariant_is_tried() -> None:
    """None is without a forgery."""
    assert {invariant for invariant, _ in FORGERIES} == set(ALL)
