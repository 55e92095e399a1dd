"""What one worker knows of outages, and what it does about them; all workers of a store know the same before long."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import attrs

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.errors import InfrastructureError
from galaxy_mail.domain.outage_ports import Outages
from galaxy_mail.domain.outages import RELAY, Outage, Sign, Streak, excused, scope_of, sign_of
from galaxy_mail.domain.pacing import Width
from galaxy_mail.domain.ports import Clock, Entropy
from galaxy_mail.domain.verdicts import Blame, Receipt, Verdict

# What is to blame for an outage that began with many refusals of different mails.
DOUBTS = (Blame.POLICY, Blame.MESSAGE)


@attrs.define
class Known:
    """An outage as this worker knows it. ``outage`` is None until the store has it; times are those of its own clock."""

    blame: Blame
    trips: int
    probe_at: float
    outage: Outage | None = None
    probing_until: float = 0.0  # one of our mails is the probe


class Breakers:
    """Listens to receipts, says how many mails may be under way, and puts off whatever should wait.

    A verdict counts at once for this worker. What the others must know is reported before the next claim, when this one also
    learns what they have found.
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
        self._learning_pause = config.poll_interval.total_seconds()
        self._log = logger
        self._known: dict[str, Known] = {}
        self._streak = Streak()
        self._width = Width(config.deliveries_at_once)
        self._reports: deque[Callable[[], Awaitable[None]]] = deque()
        self._learn_at = 0.0

    # --- what turns, claims and deliveries ask ------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """How many mails may be under way at once."""
        return 1 if RELAY in self._known else self._width.now

    async def room(self, most: int) -> int:
        """How many mails to claim, at most ``most``: none while the relay is to be left alone, one for a probe."""
        await self._exchange()
        known = self._known.get(RELAY)
        if known is None:
            return most
        return min(most, int(self._probe_is_due(known)))

    async def put_off(self, sender: EmailAddress) -> timedelta | None:
        """How long a mail of this sender should wait; None if it may be sent now, perhaps as the probe."""
        for scope in (str(sender), RELAY):
            known = self._known.get(scope)
            if known and not await self._becomes_probe(known):
                wait = max(
                    known.probe_at - self._clock.monotonic(), self._policy.cool_down.base.total_seconds()
                )
                return timedelta(seconds=wait * (1 + self._entropy.dice()))
        return None

    # --- what a delivery tells ----------------------------------------------------------------------------------------

    def saw(self, receipt: Receipt, sender: EmailAddress) -> Receipt:
        """Note how a transaction ended; return the receipt as it is to be settled."""
        verdict, now = receipt.verdict, self._clock.monotonic()
        sign = sign_of(verdict)
        self._streak = self._streak.after(sign, now, self._policy)
        if sign is Sign.DOUBTFUL and self._in_doubt:
            self._fails(RELAY, verdict)
            return excused(receipt)
        if sign is Sign.BROKEN or (sign is Sign.FAILS and self._has_enough(now)):
            self._fails(scope_of(verdict, sender), verdict)
        elif sign in (Sign.WORKS, Sign.BUSY, Sign.DOUBTFUL):
            self._width = self._width.after_throttle() if sign is Sign.BUSY else self._width.after_success()
            self._works(now, str(sender), RELAY)
        return receipt

    @property
    def _in_doubt(self) -> bool:
        known = self._known.get(RELAY)
        return self._streak.doubtful(self._policy) or (known is not None and known.blame in DOUBTS)

    def _has_enough(self, now: float) -> bool:
        known = self._known.get(RELAY)
        return self._streak.broken(self._policy) or (known is not None and now < known.probing_until)

    def _fails(self, scope: str, verdict: Verdict) -> None:
        known, now = self._known.get(scope), self._clock.monotonic()
        if known is not None and now >= known.probing_until:
            return  # a mail that was under way when it began
        cool_down = self._policy.cool_down.delay(1 + (known.trips if known else 0), self._entropy.dice())
        probe_at = now + cool_down.total_seconds()
        if known is None:
            known = self._known[scope] = Known(verdict.blame, 1, probe_at)
            self._log.error(
                "%s cannot be used (%s at %s; %s is to blame): mails wait, and no attempt counts against them",
                _named(scope),
                verdict.fault or verdict.code,
                verdict.stage,
                "the transport" if verdict.blame is Blame.TRANSPORT else "our configuration",
            )
            self._reports.append(partial(self._begin, known, scope, verdict, cool_down))
        else:
            known.trips, known.probe_at, known.probing_until = known.trips + 1, probe_at, 0.0
            self._reports.append(partial(self._prolong, known, cool_down))

    def _works(self, now: float, *scopes: str) -> None:
        for scope in scopes:
            known = self._known.get(scope)
            if known is not None and known.outage is not None and now < known.probing_until:
                self._reports.append(partial(self._outages.end, known.outage))
                self._over(scope)

    def _over(self, scope: str) -> None:
        del self._known[scope]
        self._log.warning("%s works again", _named(scope))
        if scope == RELAY:
            self._streak, self._width = Streak(), self._width.after_outage()

    # --- the probe ----------------------------------------------------------------------------------------------------

    def _probe_is_due(self, known: Known) -> bool:
        now = self._clock.monotonic()
        return known.outage is not None and known.probe_at <= now and known.probing_until <= now

    async def _becomes_probe(self, known: Known) -> bool:
        if not self._probe_is_due(known):
            return False
        assert known.outage is not None
        hold = self._policy.probe_hold
        known.probe_at = self._clock.monotonic() + hold.total_seconds()  # whoever has it
        try:
            ours = await self._outages.take_probe(known.outage, hold)
        except InfrastructureError as error:
            self._log.warning("cannot ask for a probe: %s", error)
            return False
        if ours:
            known.probing_until = known.probe_at
        return ours

    # --- what the others know -----------------------------------------------------------------------------------------

    async def _exchange(self) -> None:
        """Report what we have found, and now and then learn what the others have."""
        try:
            while self._reports:
                await self._reports[0]()
                self._reports.popleft()
            if self._clock.monotonic() >= self._learn_at:
                self._learn(await self._outages.open())
                self._learn_at = self._clock.monotonic() + self._learning_pause
        except InfrastructureError as error:
            if self._reports:  # else the claim that follows will tell
                self._log.warning("cannot tell the other workers of an outage: %s", error)

    async def _begin(self, known: Known, scope: str, verdict: Verdict, cool_down: timedelta) -> None:
        outage = await self._outages.begin(scope, verdict, cool_down)
        known.outage, known.trips = outage, outage.trips

    async def _prolong(self, known: Known, cool_down: timedelta) -> None:
        assert known.outage is not None
        known.outage = await self._outages.prolong(known.outage, cool_down) or known.outage

    def _learn(self, outages: tuple[Outage, ...]) -> None:
        if self._reports:  # something has happened meanwhile that the store does not know
            return
        now, found = self._clock.monotonic(), {outage.scope: outage for outage in outages}
        for scope in self._known.keys() - found.keys():
            self._over(scope)
        for scope, outage in found.items():
            probe_at = now + outage.probe_in.total_seconds()
            if known := self._known.get(scope):
                known.outage, known.trips, known.probe_at = outage, outage.trips, probe_at
            else:
                self._known[scope] = Known(outage.blame, outage.trips, probe_at, outage)
                self._log.error("%s cannot be used, as another worker has found: mails wait", _named(scope))


def _named(scope: str) -> str:
    return "the relay" if scope == RELAY else f"the sender {scope}"
