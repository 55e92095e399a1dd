"""What one worker knows of outages, and what it does about them; all workers of a store know the same before long."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.known_outage import Known
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.errors import InfrastructureError
from galaxy_mail.domain.outages import RELAY, Outage, Sign, Streak, by_doubts, excused, scope_of, sign_of
from galaxy_mail.domain.pacing import Width
from galaxy_mail.domain.ports import Clock, Entropy
from galaxy_mail.domain.verdicts import Blame, Receipt, Stage, Verdict
from galaxy_mail.domain.worker_ports import Outages

_TROUBLE = (Sign.FAILS, Sign.BROKEN)


class Breakers:
    """Listens to receipts, says how many mails may be under way, and puts off whatever should wait.

    A verdict counts at once for this worker. What the others must know is reported once its settlement is written; before a
    claim this one learns what they have found.
    """

    def __init__(
        self,
        *,
        outages: Outages,
        clock: Clock,
        entropy: Entropy,
        config: RuntimeConfig,
        logger: logging.Logger,
    ) -> None:
        self._outages = outages
        self._clock = clock
        self._entropy = entropy
        self._policy = config.breaker
        self._pause = config.poll_interval.total_seconds()
        self._log = logger
        self._known: dict[str, Known] = {}
        self._ended_at: dict[str, float] = {}  # by scope, the last outage
        # Where others have ended what we had found, and nothing of ours went through since.
        self._refuted: set[str] = set()
        self._accused: set[str] = set()  # senders that were refused since their last success
        self._streak = Streak()
        self._width = Width(config.deliveries_at_once)
        self._reports: deque[Callable[[], Awaitable[None]]] = deque()
        self._talking = asyncio.Lock()
        self._slowed_at = -math.inf
        self._learn_at = self._next_try_at = 0.0
        # Called when an outage of the relay begins or ends: what is under way by then may hang for minutes, and nobody should
        # wait for it.
        self.turned: Callable[[], None] = lambda: None

    # --- what turns, claims and deliveries ask ------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """How many mails may be under way at once; in an outage of the relay it is ``put_off`` that keeps them back."""
        return self._width.most if RELAY in self._known else self._width.now

    async def room(self, most: int) -> int:
        """How many mails to claim, at most ``most``: none while the relay is to be left alone, one for a probe."""
        await self._exchange()
        known, now = self._known.get(RELAY), self._clock.monotonic()
        if known is None:
            return most
        if now < self._next_try_at or not self._probe_is_due(known):
            return 0
        self._next_try_at = now + self._pause  # no second mail until the first has had its turn
        return min(most, 1)

    async def put_off(self, sender: EmailAddress) -> timedelta | None:
        """How long a mail of this sender should wait; None if it may be sent now, perhaps as the probe."""
        concerned = [known for scope in (str(sender), RELAY) if (known := self._known.get(scope))]
        # First what is not due: who must wait anyhow takes no probe from others.
        for known in sorted(concerned, key=self._probe_is_due):
            if not await self._becomes_probe(known):
                return timedelta(seconds=self._wait(known) * (1 + self._entropy.dice()))
        return None

    def _wait(self, known: Known) -> float:
        if known.scope == RELAY:  # nobody claims meanwhile: it is only to come after those who know of it
            return self._pause
        return max(known.probe_at - self._clock.monotonic(), self._policy.cool_down.base.total_seconds())

    # --- what a delivery tells ----------------------------------------------------------------------------------------

    def saw(self, receipt: Receipt, sender: EmailAddress, began: float) -> Receipt:
        """Note how a transaction ended that ``began`` then, by the clock; return the receipt as it is to be settled."""
        verdict, own = receipt.verdict, str(sender)
        sign, scope = sign_of(verdict), scope_of(verdict, sender)
        if sign in _TROUBLE and began < self._ended_at.get(scope, -math.inf):
            return receipt  # so it was before the last outage ended
        self._streak = self._streak.after(sign, self._clock.monotonic(), self._policy)
        if sign is Sign.DOUBTFUL and self._in_doubt:
            self._fails(RELAY, verdict, began)
            return excused(receipt)
        if sign in (Sign.WORKS, Sign.BUSY, Sign.DOUBTFUL):
            self._pace(sign, began)
            self._accused.discard(own)
            self._works(began, own, RELAY)
        elif scope == own:
            self._works(began, RELAY)  # the relay itself has answered
            if self._is_refused(own, verdict):
                self._fails(own, verdict, began)
        elif sign is Sign.BROKEN or (sign is Sign.FAILS and self._has_enough(began)):
            self._fails(RELAY, verdict, began)
        return receipt

    def _is_refused(self, sender: str, verdict: Verdict) -> bool:
        # Told as late as that it may be for this mail's recipient alone: so it takes two in a row.
        believed = verdict.stage is not Stage.RCPT or sender in self._accused or sender in self._known
        self._accused.add(sender)
        return believed

    def _pace(self, sign: Sign, began: float) -> None:
        if sign is not Sign.BUSY:
            self._width = self._width.after_success()
        elif began >= self._slowed_at:  # else it was one of too many, for which we are slower by now
            self._width, self._slowed_at = self._width.after_throttle(), self._clock.monotonic()

    @property
    def _in_doubt(self) -> bool:
        known = self._known.get(RELAY)
        return self._streak.doubtful(self._policy) or (known is not None and by_doubts(known.blame))

    def _has_enough(self, began: float) -> bool:
        known = self._known.get(RELAY)
        return self._streak.broken(self._policy) or (known is not None and known.is_told_by(began))

    def _fails(self, scope: str, verdict: Verdict, began: float) -> None:
        known, now = self._known.get(scope), self._clock.monotonic()
        if known is None:
            known = Known(scope, verdict.blame, 0, now, alone=scope in self._refuted)
            self._log_beginning(known, verdict)
            self._begun(known)
        elif not known.is_told_by(began):
            return  # it was under way when the outage began, or when a probe told the same
        if known.trips == self._policy.trips_alone and known.alone:  # those who refuted it may be gone
            known.alone, known.trips = False, 0
        known.found, known.trips = True, known.trips + 1
        cool_down = self._policy.cool_down.delay(known.trips, self._entropy.dice())
        known.probe_at, known.tripped_at = now + cool_down.total_seconds(), now
        if known.outage is not None:
            self._reports.append(partial(self._prolong, known, cool_down))
        elif not known.alone:
            self._reports.append(partial(self._begin, known, verdict, cool_down))

    def _log_beginning(self, known: Known, verdict: Verdict) -> None:
        self._log.error(
            "%s cannot be used%s (%s at %s; %s is to blame): mails wait, and no attempt counts against them",
            known.name,
            " by this worker, but by others" if known.alone else "",
            verdict.said,
            verdict.stage,
            verdict.blame,
        )

    def _works(self, began: float, *scopes: str) -> None:
        self._refuted.difference_update(scopes)
        for scope in scopes:
            known = self._known.get(scope)
            if known is not None and began >= known.tried_at:
                if not known.alone:
                    self._reports.append(partial(self._end, known))
                self._over(scope)

    def _begun(self, known: Known) -> None:
        self._known[known.scope] = known
        if known.scope == RELAY:
            self.turned()

    def _over(self, scope: str) -> None:
        known = self._known.pop(scope)
        self._ended_at[scope] = self._clock.monotonic()
        self._log.warning("%s works again", known.name)
        if scope == RELAY:
            self._streak, self._width = Streak(), self._width.after_outage()
            self.turned()

    # --- the probe ----------------------------------------------------------------------------------------------------

    def _probe_is_due(self, known: Known) -> bool:
        due_at = known.probe_at
        if known.found and not known.alone:  # whoever failed last lets others go first: theirs tells more
            due_at += 2 * self._pause
        return (known.alone or known.outage is not None) and due_at <= self._clock.monotonic()

    async def _becomes_probe(self, known: Known) -> bool:
        if not self._probe_is_due(known):
            return False
        hold = self._policy.probe_hold
        known.probe_at = self._clock.monotonic() + hold.total_seconds()  # whoever has it
        try:
            ours = known.outage is None or await self._outages.take_probe(known.outage, hold)
        except InfrastructureError as error:
            self._log.warning("cannot ask for a probe: %s", error)
            return False
        if ours:
            known.tried_at = min(known.tried_at, self._clock.monotonic())
        return ours

    # --- what the others know -----------------------------------------------------------------------------------------

    async def report(self) -> None:
        """Tell the others what we have found. What cannot be told now is told at the next call."""
        if not self._reports:
            return
        try:
            async with self._talking:
                while self._reports:
                    await self._reports[0]()
                    self._reports.popleft()
        except InfrastructureError as error:
            self._log.warning("cannot tell the other workers of an outage: %s", error)

    async def _exchange(self) -> None:
        """Report, and now and then learn what the others have found."""
        await self.report()
        if self._clock.monotonic() < self._learn_at:
            return
        try:
            # What was reported after this was read would seem to be over, or not to be.
            async with self._talking:
                outages = await self._outages.open()
                self._learn(outages if self._learn_at else await self._hastened(outages))
                self._learn_at = self._clock.monotonic() + self._pause
        except InfrastructureError as error:  # which the claim that follows will tell
            self._log.debug("cannot learn of outages: %s", error)

    async def _hastened(self, outages: tuple[Outage, ...]) -> tuple[Outage, ...]:
        """At the start: what a person may have mended since, the password perhaps, is tried at once."""
        ours = (outage for outage in outages if outage.blame is Blame.CONFIGURATION)
        hastened = {
            each.outage_id: await self._outages.hasten(each, self._policy.probe_hold) for each in ours
        }
        return tuple(hastened.get(outage.outage_id) or outage for outage in outages)

    async def _begin(self, known: Known, verdict: Verdict, cool_down: timedelta) -> None:
        outage = await self._outages.begin(known.scope, verdict, cool_down)
        known.outage, known.trips = outage, outage.trips

    async def _prolong(self, known: Known, cool_down: timedelta) -> None:
        assert known.outage is not None
        known.outage = await self._outages.prolong(known.outage, cool_down) or known.outage

    async def _end(self, known: Known) -> None:
        assert known.outage is not None
        await self._outages.end(known.outage)

    def _learn(self, outages: tuple[Outage, ...]) -> None:
        if self._reports:  # something has happened meanwhile that the store does not know
            return
        now, found = self._clock.monotonic(), {outage.scope: outage for outage in outages}
        shared = {scope for scope, known in self._known.items() if not known.alone}
        for scope in shared - found.keys():
            if self._known[scope].found:
                self._refuted.add(scope)
            self._over(scope)
        for scope, outage in found.items():
            probe_at = now + outage.probe_in.total_seconds()
            known = self._known.get(scope)
            if known is None:
                known = Known(scope, outage.blame, outage.trips, probe_at, outage)
                self._log.error("%s cannot be used, as another worker has found: mails wait", known.name)
                self._begun(known)
                continue
            if known.outage is None or known.outage.key != outage.key:  # somebody else has tried since
                known.tripped_at, known.found, known.alone = now, False, False
            known.outage, known.trips, known.probe_at = outage, outage.trips, probe_at
