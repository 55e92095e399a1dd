"""All invariants together."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation import invariants, promises
from tests.simulation.books import Books
from tests.simulation.invariants import Broken

Invariant = Callable[[Books], Broken]

ALL: tuple[Invariant, ...] = (
    invariants.i0_sent_has_a_copy,
    invariants.i1_success_joins_the_ledger,
    invariants.i2_every_copy_is_accounted_for,
    invariants.i3_nothing_is_leased,
    invariants.i4_attempts_are_burned_rows,
    invariants.i5_the_end_is_final,
    invariants.i6_sent_has_a_success,
    invariants.i7_copies_are_equal,
    invariants.i8_nothing_after_expiry,
    invariants.i9_every_copy_is_ours,
    invariants.the_shipped_audit_agrees,
    promises.p1_a_promise_is_kept,
    promises.p2_nothing_is_lost,
    promises.p3_what_is_held_waits_for_a_person,
    promises.p4_a_healthy_worker_keeps_its_leases,
    promises.p5_every_claim_is_closed_once,
    promises.p5_only_the_latest_token_wins,
    promises.p5_no_body_without_a_lease,
    promises.p7_outages_burn_nothing,
    promises.p7_an_outage_ends,
    promises.p7_an_outage_is_told,
    promises.p11_who_is_asked_to_stop_stops,
    promises.p15_somebody_was_told,
    promises.the_world_ended,
)


def broken(books: Books) -> list[str]:
    """Everything that breaks an invariant, each with the invariant's name."""
    return [f"{invariant.__name__}: {problem}" for invariant in ALL for problem in invariant(books)]
