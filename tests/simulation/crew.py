"""The workers of a world, and what befalls them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random

from tests.simulation.loop import NATURE, VirtualLoop
from tests.simulation.staff import Hand
from tests.simulation.store import ANSWER
from tests.simulation.timeline import Timeline

PATIENCE = 60.0  # seconds in which a worker that is asked to stop has stopped

REMINDERS = 3
TURNS = 16

Hire = Callable[[int, bool], Hand]


class Crew:
    """Hires workers, and until ``calm_at`` replaces those that it loses.

    ``ambushes`` is the share of milestones at which a worker is killed or frozen right there.
    """

    def __init__(
        self, loop: VirtualLoop, timeline: Timeline, hire: Hire, dice: Random, calm_at: float, ambushes: float
    ) -> None:
        self.hands: list[Hand] = []
        self.troubles: list[str] = []
        self.deaf: list[str] = []  # who had to be asked again to stop
        self._loop = loop
        self._timeline = timeline
        self._hire = hire
        self._dice = dice
        self._calm_at = calm_at
        self._ambushes = ambushes

    @property
    def working(self) -> list[Hand]:
        """Those that claim mails, now or once they thaw."""
        return [hand for hand in self.hands if hand.working]

    def hire(self, *, until_empty: bool = False) -> Hand:
        """Start one more worker."""
        hand = self._hire(len(self.hands) + 1, until_empty)
        hand.process.ambush = lambda milestone: self._ambush(hand, milestone)
        hand.task.add_done_callback(lambda task: self._ended(hand, task), context=NATURE)
        self.hands.append(hand)
        self._timeline.note(hand.process.name, "starts")
        return hand

    def hit(self, blow: Callable[[Hand], None]) -> None:
        """Strike some worker."""
        blow(self._dice.choice(self.hands))

    def kill(self, hand: Hand) -> None:
        """SIGKILL."""
        if hand.working:
            self._timeline.note(hand.process.name, "is killed")
            hand.process.kill()
            hand.desk.line.break_sessions()
            self._replace()

    def freeze(self, hand: Hand) -> None:
        """SIGSTOP, and SIGCONT some time later."""
        if hand.working and not hand.process.frozen:
            lasts = self._dice.choice((0.5, 3.0, 7.0, 12.0, 25.0))
            self._timeline.note(hand.process.name, "freezes for {} s", lasts)
            hand.process.freeze()
            self._loop.call_later(lasts, self.thaw, hand, context=NATURE)

    def thaw(self, hand: Hand) -> None:
        """SIGCONT."""
        if hand.process.alive and hand.process.frozen:
            self._timeline.note(hand.process.name, "thaws")
            hand.process.thaw()

    def stop(self, hand: Hand) -> None:
        """SIGTERM."""
        if hand.working:
            self._timeline.note(hand.process.name, "is asked to stop")
            hand.asked = True
            hand.process.excuse()
            hand.task.cancel()
            self._replace()

    def jump(self, hand: Hand) -> None:
        """Set its wall clock forward or back, by up to ten years."""
        clock = hand.desk.clock
        clock.skew += timedelta(seconds=self._dice.choice((-1, 1)) * self._dice.choice((1, 3600, 3e8)))
        self._timeline.note(hand.process.name, "has its wall clock moved to {}", clock.now())

    async def say_goodbye(self) -> None:
        """Stop whoever works, and wait until all have ended."""
        for hand in self.working:
            if not hand.asked:
                self._stop_soon(hand, self._dice.randrange(TURNS))
        for _ in range(REMINDERS):
            if not (leaving := self.working):
                return
            await asyncio.wait([hand.task for hand in leaving], timeout=PATIENCE)
            for hand in self.working:
                self.deaf.append(hand.process.name)
                self.stop(hand)
        self.troubles.append("a worker does not stop, however often it is asked")

    def _ambush(self, hand: Hand, milestone: str) -> None:
        rare = 0.1 if milestone == ANSWER else 1.0
        if self._loop.time() >= self._calm_at or hand.luck.random() >= self._ambushes * rare:
            return
        self._timeline.note(hand.process.name, "is ambushed at: {}", milestone)
        if milestone == ANSWER:
            self._stop_soon(hand, hand.luck.randrange(TURNS))
        else:
            hand.luck.choice((self.kill, self.freeze))(hand)

    def _stop_soon(self, hand: Hand, turns: int) -> None:
        """Stop it some turns of the loop from now: what happens between two turns takes no time, and has windows too."""
        if turns:
            self._loop.call_soon(self._stop_soon, hand, turns - 1, context=NATURE)
        else:
            self.stop(hand)

    def _replace(self) -> None:
        self._loop.call_later(self._dice.choice((0.1, 2.0, 10.0)), self._hire_while_it_storms, context=NATURE)

    def _hire_while_it_storms(self) -> None:
        if self._loop.time() < self._calm_at:
            self.hire()

    def _ended(self, hand: Hand, task: asyncio.Task[None]) -> None:
        self._timeline.note(hand.process.name, "ends")
        if not task.cancelled() and (error := task.exception()):
            self.troubles.append(f"{hand.process.name} crashed: {error!r}")
