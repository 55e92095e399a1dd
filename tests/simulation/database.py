"""The one store of a world and what an auditor saw of it: every change of status, every claim that was closed untouched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import attrs

from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.leases import Claim, Held
from galaxy_mail.domain.settlement import Settlement
from tests.simulation.clocks import SimulatedClock
from tests.simulation.ledger import Begun
from tests.simulation.loop import VirtualLoop
from tests.simulation.timeline import Timeline

T = TypeVar("T")


@attrs.frozen
class Change:
    """A delivery's status after something that ``who`` did; ``before`` is None where the row is new."""

    at: float
    who: str
    doing: str
    delivery_id: UUID
    before: DeliveryStatus | None
    after: DeliveryStatus
    resends: int  # that its row showed


class Database:
    """A MemoryStore whose clock is right, watched."""

    def __init__(self, loop: VirtualLoop, timeline: Timeline, kind: type[MemoryStore] = MemoryStore) -> None:
        self._clock = SimulatedClock(loop)
        self.store = kind(self._clock)
        self.changes: list[Change] = []
        self.bodies: list[Begun] = []
        self.usurpers: list[
            str
        ] = []  # whoever won with another token than the latest, or with one that was spent
        self._tokens: dict[UUID, UUID | None] = {}  # the latest of each delivery, None once it is spent
        self.closed: set[tuple[UUID, int]] = set()  # claims that ended without an attempt, by number
        self._loop = loop
        self._timeline = timeline
        self._known: dict[UUID, DeliveryStatus] = {}

    @property
    def rows(self) -> Mapping[UUID, Row]:
        """What is committed."""
        return self.store.rows

    @property
    def at_rest(self) -> bool:
        """Whether nothing is to be done any more: all has ended, and what is to be told is told.

        An outage that repeats another and lasts, with no mail left that would end it, is nobody's to wait for.
        """
        told = all(
            outage.notify_after is None or (outage.repeats and outage.closed_at is None)
            for outage in self.store.outages().rows
        )
        return told and all(
            row.status.terminal and row.token is None and row.notify_after is None
            for row in self.rows.values()
        )

    def carry_out(self, who: str, doing: str, work: Coroutine[Any, Any, T]) -> T:
        """Do what a worker or an operator asks for, at once and whole."""
        try:
            work.send(None)
        except StopIteration as done:
            self.watch(who, doing)
            result: T = done.value
            return result
        raise AssertionError(f"the store does not {doing} in one transaction")

    def watch(self, who: str, doing: str) -> None:
        """Write down whose status is another than before."""
        for delivery_id, row in self.rows.items():
            before = self._known.get(delivery_id)
            if row.status is not before:
                self._known[delivery_id] = row.status
                change = Change(
                    self._loop.time(), who, doing, delivery_id, before, row.status, len(row.resends)
                )
                self.changes.append(change)
                reason = f" ({row.reason})" if row.reason else ""
                self._timeline.note("store", "{} is {}{} by {}", delivery_id, row.status.value, reason, who)

    def note_body(self, message_id: str, worker: str) -> None:
        """A worker begins to write a mail to the relay."""
        now = self._clock.now()
        leased = any(
            row.message_id == message_id
            and row.claimed_by == worker
            and row.token
            and now < row.next_attempt_at
            for row in self.rows.values()
        )
        self.bodies.append(Begun(message_id, worker, self._loop.time(), leased))

    def note_claims(self, claims: Sequence[Claim]) -> None:
        """Tokens that were issued."""
        self._tokens.update((claim.held.delivery_id, claim.held.token) for claim in claims)

    def note_renewal(self, who: str, claims: Sequence[Held], lost: frozenset[UUID]) -> None:
        """Claims that were extended."""
        for held in claims:
            if held.delivery_id not in lost:
                self._check(who, "renewed", held)

    def note_release(self, who: str, claims: Sequence[Held], lost: frozenset[UUID]) -> None:
        """Claims that were given back untouched."""
        for held in claims:
            if held.delivery_id not in lost:
                self._spend(who, "released", held)
                self._close(held)

    def holders(self, settlements: Sequence[Settlement]) -> set[Held]:
        """Those whose tokens stand in the rows, before they settle."""
        return {
            each.held for each in settlements if self.rows[each.held.delivery_id].token == each.held.token
        }

    def note_settlement(
        self, who: str, settlements: Sequence[Settlement], lost: frozenset[UUID], holders: set[Held]
    ) -> None:
        """Claims that were settled, some without an attempt.

        The store names deliveries: of an old and a new claim of one delivery in one call, it names both by the old one.
        """
        calls = Counter(each.held.delivery_id for each in settlements)
        for each in settlements:
            held = each.held
            twice = calls[held.delivery_id] > 1 and held in holders
            if held.delivery_id not in lost or twice:
                self._spend(who, "settled", held)
                if each.attempt is None:
                    self._close(held)

    def _check(self, who: str, doing: str, held: Held) -> None:
        if self._tokens.get(held.delivery_id) != held.token:
            self.usurpers.append(f"{who} {doing} {held.delivery_id} with a token that was not the latest")

    def _spend(self, who: str, doing: str, held: Held) -> None:
        self._check(who, doing, held)
        self._tokens[held.delivery_id] = None

    def _close(self, held: Held) -> None:
        self.closed.add((held.delivery_id, self.rows[held.delivery_id].claims))
