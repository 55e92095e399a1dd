"""Bugs that outboxes really have, planted one at a time: what finds none of them proves nothing when it finds none.

Nothing of this is in ``src``. Each is a patch of one function, and the invariants that are to find it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch
from uuid import UUID

import attrs

from galaxy_mail.adapters.memory import MemoryStore, MemoryTransaction, claiming
from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.app import delivery_pass
from galaxy_mail.app.breakers import Breakers
from galaxy_mail.app.composing import Composer, Draft
from galaxy_mail.app.herald import Herald
from galaxy_mail.app.holding import Holding, Progress
from galaxy_mail.app.holdings import Holdings
from galaxy_mail.domain.delivery import DeliveryEvent, RecipientState, transition
from galaxy_mail.domain.leases import Claim, ClaimRequest, Held
from galaxy_mail.domain.mail import Mail, NewDelivery
from galaxy_mail.domain.notices import AnyNotice
from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.settlement import Settlement, decide
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Envelope, Fault, Receipt, SmtpReply, Stage, Verdict
from tests.simulation import invariants, promises
from tests.simulation.audit import Invariant
from tests.simulation.relay import SimulatedSender
from tests.simulation.words import OPENING


@attrs.frozen
class Plant:
    """A bug, and who finds it."""

    what: str
    patch: Callable[[], AbstractContextManager[object]]
    found_by: tuple[Invariant, ...]

    def __str__(self) -> str:
        return self.what


# --- the store -------------------------------------------------------------------------------------------------------


def _any_holder(self: MemoryStore, held: Held) -> Row | None:
    row = self.rows.get(held.delivery_id)
    return row if row is not None and row.token is not None else None


def _abandon_unseen(row: Row, _: datetime) -> None:
    row.status = transition(row.status, DeliveryEvent.ABANDONED)
    row.abandoned += 1


def _give_up_for_poison_alone(
    rows: Iterable[Row], request: ClaimRequest, now: datetime, mint: Callable[[], UUID]
) -> tuple[Claim, ...]:
    held = [row for row in rows if row.hold_uncertain]
    with contextlib.ExitStack() as stack:
        for row in held:
            row.hold_uncertain = False
            stack.callback(setattr, row, "hold_uncertain", True)
        return _take_due(rows, request, now, mint)


_take_due = claiming.take_due
_write = claiming.write


def _write_forgetfully(row: Row, settlement: Settlement, now: datetime) -> None:
    if settlement.retry_in is not None:
        marks = (mark for mark in settlement.marks if mark.state is not RecipientState.ACCEPTED)
        settlement = attrs.evolve(settlement, marks=tuple(marks))
    _write(row, settlement, now)


_revive = Row.revive


def _revive_secretly(self: Row, by: str, now: datetime) -> None:
    _revive(self, by, now)
    self.resends.pop()


_enqueue = MemoryStore.enqueue


async def _enqueue_at_once(
    self: MemoryStore, delivery: NewDelivery, _: MemoryTransaction | None = None
) -> UUID:
    async with self.transaction() as own:
        return await _enqueue(self, delivery, own)


# --- the worker ------------------------------------------------------------------------------------------------------


def _gate_without_expiry(self: Holding) -> Fault | None:
    if self.progress is not Progress.UNTOUCHED or self._clock.monotonic() >= self._trusted_until:
        return Fault.CLAIM_LOST
    self.progress = Progress.BEGUN
    return None


def _gate_without_lease(self: Holding) -> Fault | None:
    if self.claim.expires_in is not None and self.elapsed >= self.claim.expires_in:
        return Fault.EXPIRED
    self.progress = Progress.BEGUN
    return None


def _decide_without_hold(claim: Claim, *rest: Any) -> Settlement:
    return decide(attrs.evolve(claim, hold_uncertain=False), *rest)


async def _renew_nothing(_: Holdings) -> None:
    pass


_tell = Herald._tell


async def _tell_carelessly(self: Herald, notice: AnyNotice, about: str) -> bool:
    await _tell(self, notice, about)
    return True


def _works_silently(self: Breakers, *_: object) -> None:
    pass


_draft = Composer.draft
_serial = count()


def _draft_under_a_new_name(self: Composer, mail: Mail, dated: datetime) -> Draft:
    return _draft(self, attrs.evolve(mail, message_id=f"{next(_serial)}.{mail.message_id}"), dated)


def _draft_dated_today(self: Composer, mail: Mail, dated: datetime) -> Draft:
    return _draft(self, mail, dated + timedelta(seconds=next(_serial) % 1000))


# --- the sender ------------------------------------------------------------------------------------------------------

_send = SimulatedSender.send
Send = Callable[[SimulatedSender, Envelope, bytes, Gate], Coroutine[Any, Any, Receipt]]


def _judging(misjudge: Callable[[SimulatedSender, Verdict], Verdict]) -> Send:
    async def send(self: SimulatedSender, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        receipt = await _send(self, envelope, message, gate)
        return attrs.evolve(receipt, verdicts=tuple(misjudge(self, each) for each in receipt.verdicts))

    return send


def _after_quit(sender: SimulatedSender, verdict: Verdict) -> Verdict:
    lost = verdict.accepted and sender._dice.random() < 0.2
    return classify(Stage.BODY, Fault.CLOSED) if lost else verdict


def _unambiguous(_: SimulatedSender, verdict: Verdict) -> Verdict:
    return attrs.evolve(verdict, ambiguous=False)


def _burning(_: SimulatedSender, verdict: Verdict) -> Verdict:
    return attrs.evolve(verdict, burns_attempt=True) if verdict.stage in OPENING else verdict


def _hopeful(_: SimulatedSender, verdict: Verdict) -> Verdict:
    refused = verdict.stage is Stage.DOT and (verdict.code or 0) >= 400
    return classify(Stage.DOT, SmtpReply(250, "surely")) if refused else verdict


# --- all of them -----------------------------------------------------------------------------------------------------


def _instead(owner: object, name: str, other: object) -> Callable[[], AbstractContextManager[object]]:
    return lambda: patch.object(owner, name, other)


PLANTS = (
    Plant(
        "no fence: a settlement wins with any token",
        _instead(MemoryStore, "_holding", _any_holder),
        (promises.p5_only_the_latest_token_wins,),
    ),
    Plant(
        "success is recorded after QUIT, and lost where QUIT fails",
        _instead(SimulatedSender, "send", _judging(_after_quit)),
        (invariants.i2_every_copy_is_accounted_for,),
    ),
    Plant(
        "ambiguous is treated as transient without record",
        _instead(SimulatedSender, "send", _judging(_unambiguous)),
        (invariants.i2_every_copy_is_accounted_for,),
    ),
    Plant(
        "expiry is not checked again at the gate",
        _instead(Holding, "gate", _gate_without_expiry),
        (invariants.i8_nothing_after_expiry,),
    ),
    Plant(
        "the lease is not checked at the gate",
        _instead(Holding, "gate", _gate_without_lease),
        (promises.p5_no_body_without_a_lease,),
    ),
    Plant(
        "an outage burns attempts",
        _instead(SimulatedSender, "send", _judging(_burning)),
        (promises.p7_outages_burn_nothing,),
    ),
    Plant(
        "leases are not renewed",
        _instead(Holdings, "renew", _renew_nothing),
        (promises.p4_a_healthy_worker_keeps_its_leases,),
    ),
    Plant(
        "partial acceptance is forgotten: all recipients are sent to again",
        _instead(claiming, "write", _write_forgetfully),
        (invariants.i2_every_copy_is_accounted_for,),
    ),
    Plant(
        "an abandoned claim is not recorded",
        _instead(claiming, "_abandon", _abandon_unseen),
        (promises.p5_every_claim_is_closed_once, invariants.i2_every_copy_is_accounted_for),
    ),
    Plant(
        "a mail that is to be held is tried again after silence",
        _instead(delivery_pass, "decide", _decide_without_hold),
        (promises.p3_what_is_held_waits_for_a_person,),
    ),
    Plant(
        "a mail that is to be held is claimed again from a dead worker",
        _instead(claiming, "take_due", _give_up_for_poison_alone),
        (promises.p3_what_is_held_waits_for_a_person,),
    ),
    Plant(
        "a notice counts as told although telling failed",
        _instead(Herald, "_tell", _tell_carelessly),
        (promises.p15_somebody_was_told,),
    ),
    Plant(
        "whoever made the probe does not say that the relay works",
        _instead(Breakers, "_works", _works_silently),
        (promises.p7_an_outage_ends, promises.the_world_ended),
    ),
    Plant(
        "the notice of an outage counts as told although telling failed",
        _instead(Herald, "_tell", _tell_carelessly),
        (promises.p7_an_outage_is_told,),
    ),
    Plant(
        "a resend is not recorded",
        _instead(Row, "revive", _revive_secretly),
        (invariants.i5_the_end_is_final,),
    ),
    Plant(
        "enqueue is not part of the caller's transaction",
        _instead(MemoryStore, "enqueue", _enqueue_at_once),
        (promises.p1_a_promise_is_kept,),
    ),
    Plant(
        "each attempt has a Message-ID of its own",
        _instead(Composer, "draft", _draft_under_a_new_name),
        (invariants.i9_every_copy_is_ours,),
    ),
    Plant(
        "each attempt has a Date of its own",
        _instead(Composer, "draft", _draft_dated_today),
        (invariants.i7_copies_are_equal,),
    ),
    Plant(
        "a refusal at the dot is a success",
        _instead(SimulatedSender, "send", _judging(_hopeful)),
        (invariants.i0_sent_has_a_copy, invariants.i1_success_joins_the_ledger),
    ),
)
