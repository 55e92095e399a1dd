"""Two stores, one script: whatever is done, and by whatever claim, they answer alike and hold the same in the end.

The model is the memory store; the subject is any other. Instants are not compared, for one clock runs and the other is moved;
their effects are. Nothing ever falls due at the same instant as something else, since the order of equals is not promised:
the model's clock ticks before each step, and what one call plans is planned a few microseconds apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from galaxy_mail.domain.errors import CallerError
from galaxy_mail.domain.invariants import Invariant
from galaxy_mail.domain.leases import Claim, ClaimRequest, Held
from galaxy_mail.domain.mail import Lane, NewDelivery
from galaxy_mail.domain.settlement import Settlement
from galaxy_mail.domain.verdicts import Signal, Stage
from galaxy_mail.testing.contracts.harness import StoreHarness
from galaxy_mail.testing.contracts.orders import (
    ACCEPTED,
    BCC,
    BUSY,
    NO_SUCH_USER,
    OUTAGE,
    REPLY_TO,
    RETRY,
    SILENCE,
    TO,
    new_delivery,
    settlement,
)
from tests.adapters.memory.harness import MemoryHarness
from tests.stateful.views import claim_view, notice_view, record_view

T = TypeVar("T")
Word = tuple[Stage, Signal]
Refusal = tuple[type[Exception], str]
Opening = Callable[[], Awaitable[StoreHarness]]

TICK = timedelta(milliseconds=1)
ATOM = timedelta(microseconds=1)
SPANS = st.sampled_from([RETRY, 2 * RETRY, 4 * RETRY])
PEOPLE = ((TO, "ada@example.org"), (BCC, "bob@example.org"), (REPLY_TO, "desk@example.org"))
ORDERS = st.builds(
    new_delivery,
    people=st.sampled_from([PEOPLE[:1], PEOPLE[:2], PEOPLE]),
    lane=st.sampled_from(Lane),
    ttl=st.sampled_from([None, None, None, 2 * RETRY, 8 * RETRY]),
    context=st.sampled_from([{"name": "Ada"}, {"name": "Bob"}]),
    hold_uncertain=st.sampled_from([False, False, True]),
    secrets=st.sampled_from([None, None, None, {"code": "1"}, {"code": "2"}]),
    key=st.sampled_from([None, None, "k", "l"]),
)
WORDS = st.sampled_from([ACCEPTED, BUSY, NO_SUCH_USER, NO_SUCH_USER, OUTAGE, SILENCE])
WAITS = SPANS | st.just(timedelta(0))
LIMITS = st.integers(1, 4)
WORKERS = st.sampled_from(["w1", "w2"])
SPOKEN = WORDS.map(lambda word: [word]) | st.lists(
    WORDS, min_size=2, max_size=3
)  # to all recipients, or to each


@attrs.frozen
class Pair:
    """One claim, as the model and as the subject issued it."""

    model: Claim
    subject: Claim

    @property
    def delivery_id(self) -> UUID:
        """What is claimed: the same in both."""
        return self.model.held.delivery_id


def distinct(pairs: Iterable[Pair]) -> list[Pair]:
    """One claim for each delivery; of two of one delivery in one call, which one is lost is nobody's business."""
    return list({pair.delivery_id: pair for pair in pairs}.values())


class StoresAgree(RuleBasedStateMachine):
    """Bound to a subject by ``machine_for``."""

    opening: Opening
    runner: asyncio.Runner

    deliveries: Bundle[UUID] = Bundle("deliveries")
    claims: Bundle[Pair] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.model = MemoryHarness()
        self.subject = self.run(type(self).opening())
        self.known = set[UUID]()
        self.touched = set[UUID]()

    def run(self, step: Awaitable[T]) -> T:
        """Drive one step of an asynchronous store from a machine that is not."""
        return self.runner.get_loop().run_until_complete(step)

    def both(self, call: Callable[[StoreHarness], Coroutine[Any, Any, T]]) -> tuple[T, T]:
        """Do the same to both, one tick later than what was done before."""
        for harness in (self.model, self.subject):
            if isinstance(harness, MemoryHarness):
                harness.clock.advance(TICK)
        return self.run(call(self.model)), self.run(call(self.subject))

    def agree(self, call: Callable[[StoreHarness], Coroutine[Any, Any, T]]) -> T:
        """Do the same to both and see the same come out."""
        model, subject = self.both(call)
        assert model == subject
        return model

    # --- producers ---------------------------------------------------------------------------------------------------

    @initialize(target=deliveries, orders=st.lists(ORDERS, min_size=1, max_size=3))
    def begin(self, orders: list[NewDelivery]) -> MultipleResults[UUID]:
        """Something to work on."""
        return multiple(*(delivery_id for order in orders for delivery_id in self._enqueue(order, None)))

    @rule(target=deliveries, order=ORDERS, delay=st.none() | st.none() | SPANS)
    def enqueue(self, order: NewDelivery, delay: timedelta | None) -> MultipleResults[UUID]:
        """The same id, or the same refusal."""
        return multiple(*self._enqueue(order, delay))

    # --- workers -----------------------------------------------------------------------------------------------------

    @rule(target=claims, after=WAITS, limit=LIMITS, worker=WORKERS, lease=SPANS)
    def claim(self, after: timedelta, limit: int, worker: str, lease: timedelta) -> MultipleResults[Pair]:
        """The same deliveries, under tokens of their own, with the same things said of them."""
        return multiple(*self._claim(after, ClaimRequest(worker, limit, lease, abandoned_limit=3)))

    @rule(target=claims, after=WAITS, limit=LIMITS, words=SPOKEN)
    def work(self, after: timedelta, limit: int, words: list[Word]) -> MultipleResults[Pair]:
        """What a worker does all day: claim and settle. The claims, though spent, may be tried again."""
        pairs = self._claim(after, ClaimRequest("diligent", limit, RETRY, abandoned_limit=3))
        self._settle(pairs, words)
        return multiple(*pairs)

    @rule(pair=claims, lease=SPANS)
    def renew(self, pair: Pair, lease: timedelta) -> None:
        """The latest claim, or one that is long lost."""
        self._renew(pair, lease)

    @rule(pair=claims)
    def release(self, pair: Pair) -> None:
        """The latest claim, or one that is long lost."""
        self.agree(lambda harness: harness.store.release([self._held(harness, pair)]))

    @rule(pairs=st.lists(claims, min_size=1, max_size=3), words=SPOKEN)
    def settle(self, pairs: list[Pair], words: list[Word]) -> None:
        """The latest claims and stale ones in one call."""
        self._settle(distinct(pairs), words)

    @rule(target=claims, pair=claims, words=SPOKEN)
    def settle_late(self, pair: Pair, words: list[Word]) -> MultipleResults[Pair]:
        """A zombie wakes up after its lease and settles what others, who claimed it meanwhile, are working on."""
        heirs = self._claim(4 * RETRY, ClaimRequest("heir", 4, 4 * RETRY, abandoned_limit=3))
        self._settle([pair], words)
        return multiple(*heirs)

    @rule(span=SPANS)
    def age(self, span: timedelta) -> None:
        """Time passes."""
        self.both(lambda harness: harness.age(span))

    # --- administrators ----------------------------------------------------------------------------------------------

    @rule(hold=SPANS, tell=st.booleans())
    def take_notices(self, hold: timedelta, tell: bool) -> None:
        """The same notices; all but the first one may be told."""

        async def call(harness: StoreHarness) -> set[object]:
            notices = await harness.store.take_notices(100, hold)
            if tell:
                await harness.store.mark_told(sorted(notices, key=lambda notice: notice.delivery_id)[1:])
            return {notice_view(notice) for notice in notices}

        self.agree(call)

    @rule(delivery_id=deliveries, by=st.sampled_from(["ada", "grace"]))
    def resend(self, delivery_id: UUID, by: str) -> None:
        """Done, or refused for the same reason."""
        self.touched.add(delivery_id)
        self.agree(lambda harness: _outcome(harness.store.resend(delivery_id, by)))

    # --- what holds after each step ----------------------------------------------------------------------------------

    @invariant()
    def they_hold_the_same(self) -> None:
        """What the last step touched stands alike in both, as do the counts."""
        touched, self.touched = self.touched, set()

        async def seen(harness: StoreHarness) -> object:
            records = [record_view(await harness.store.find(delivery_id)) for delivery_id in touched]
            wiped = [await harness.secrets_of(delivery_id) is None for delivery_id in touched]
            return records, wiped, await harness.store.stats(), await harness.leased_count()

        if touched:
            self.agree(seen)

    # --- auditors ----------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Whatever was done, and by whatever claim, no store breaks an invariant; but nobody here hurries or asks a gate."""

        async def waiting(harness: StoreHarness) -> object:
            shape = await harness.store.shape(5, 100)
            return shape.total.counts, [(each.domain, each.waiting.counts) for each in shape.domains]

        self.agree(waiting)
        broken = {breach.invariant for breach in self.agree(lambda harness: harness.store.audit(limit=10))}
        assert broken <= {Invariant.LEASES_END, Invariant.NOTHING_WENT_AFTER_EXPIRY}

    # --- how ---------------------------------------------------------------------------------------------------------

    def _enqueue(self, order: NewDelivery, delay: timedelta | None) -> list[UUID]:
        async def call(harness: StoreHarness) -> UUID | Refusal:
            send_at = None if delay is None else await harness.now() + delay
            return await _outcome(harness.store.enqueue(attrs.evolve(order, send_at=send_at)))

        outcome = self.agree(call)
        if not isinstance(outcome, UUID) or outcome in self.known:
            return []
        self.known.add(outcome)
        self.touched.add(outcome)
        return [outcome]

    def _claim(self, after: timedelta, request: ClaimRequest) -> list[Pair]:
        if after:
            self.age(after)
        self.touched |= self.known  # what it does not return it may have buried
        model, subject = self.both(lambda harness: harness.store.claim(request))
        assert list(map(claim_view, model)) == list(map(claim_view, subject))
        pairs = [Pair(*each) for each in zip(model, subject, strict=True)]
        for pair in pairs:
            self._renew(pair, request.lease)  # one by one, so that no two leases end at once
        return pairs

    def _renew(self, pair: Pair, lease: timedelta) -> None:
        self.agree(lambda harness: harness.store.renew([self._held(harness, pair)], lease))

    def _settle(self, pairs: list[Pair], words: list[Word]) -> None:
        written = [_planned(pair.model, words, ATOM * n) for n, pair in enumerate(pairs)]

        async def call(harness: StoreHarness) -> frozenset[UUID]:
            lines = zip(written, pairs, strict=True)
            return await harness.store.settle(
                [attrs.evolve(line, held=self._held(harness, pair)) for line, pair in lines]
            )

        self.agree(call)

    def _held(self, harness: StoreHarness, pair: Pair) -> Held:
        self.touched.add(pair.delivery_id)
        return (pair.model if harness is self.model else pair.subject).held


async def _outcome(call: Awaitable[T]) -> T | Refusal:
    try:
        return await call
    except CallerError as refused:
        return type(refused), str(refused)


def _planned(claim: Claim, words: list[Word], later: timedelta) -> Settlement:
    spoken = [words[n % len(words)] for n in range(len(claim.open_positions))]
    planned = settlement(claim, *spoken)
    return planned if planned.retry_in is None else attrs.evolve(planned, retry_in=planned.retry_in + later)


def machine_for(opening: Opening, runner: asyncio.Runner) -> type[StoresAgree]:
    """The machine with a subject: ``opening`` makes an empty one for each run, in the loop of ``runner``."""
    return type("StoresAgree", (StoresAgree,), {"opening": staticmethod(opening), "runner": runner})
