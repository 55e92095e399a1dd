"""The ports by which workers and producers know of each other: who listens, who is there, and whether the relay works."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from galaxy_mail.domain.leases import Sign
from galaxy_mail.domain.notices import OutageNotice
from galaxy_mail.domain.outages import Outage
from galaxy_mail.domain.verdicts import Verdict


class Bell(Protocol):
    """The one session that a worker keeps: it is rung by producers, and it is the worker's sign of life.

    A ring is only a hint: one that is missed costs a look, never a mail. A worker that has found nothing arms the bell, looks
    once more (what was committed before did not ring), and waits. The sign can be seen for as long as the session lasts, so
    it goes when the worker is killed (see ``Queue.end_leases_of_the_gone``).
    """

    @property
    def rings(self) -> bool:
        """Whether it can ring here. If not, the worker finds out by looking alone."""

    @property
    def sign(self) -> Sign | None:
        """The worker's sign of life; None while there is none, as far as is known."""

    async def keep_sign(self) -> Sign | None:
        """See that the session is there, open it anew if need be, and return the sign.

        - Each bell has a sign of its own, and keeps it. test_each_bell_has_a_sign_of_its_own
        - It never raises: where nobody can see a sign, there is none.
        """

    async def arm(self, lasting: timedelta) -> None:
        """Ask for a ring from now on, for ``lasting``.

        - The commit of a mail that is enqueued after it rings. test_a_commit_rings_an_armed_bell
        - A rollback does not. test_a_rollback_does_not_ring
        - It never raises: where it cannot ring, ``rings`` says so.
        """

    async def rung(self) -> None:
        """Return at the next ring, or at once if it has rung since this was last asked.

        - A ring before the wait is not lost. test_a_ring_before_the_wait_is_not_lost
        - Many rings are one. test_many_rings_are_one
        """

    async def aclose(self) -> None:
        """Give back whatever it holds. test_a_closed_bell_is_silent"""


class Outages(Protocol):
    """The outages of a store, each with one scope: that of the relay, or of one sender at it."""

    async def open(self) -> tuple[Outage, ...]:
        """Those that have begun and not ended. test_an_outage_is_open_until_it_ends"""

    async def begin(self, scope: str, cause: Verdict, probe_in: timedelta) -> Outage:
        """Begin an outage, to be probed after ``probe_in``; return it, or the one of this scope that is open already.

        - Of many who begin one of the same scope, one does. test_an_outage_begins_once
        """

    async def take_probe(self, outage: Outage, hold: timedelta) -> bool:
        """Whether the caller may make the probe. Nobody else may for ``hold``.

        - Not before it is due, and one at a time. test_one_caller_has_the_probe
        - A probe of which nobody hears any more is free after ``hold``. test_a_forgotten_probe_is_free_again
        - None in an outage that is over, or was prolonged since. test_what_is_over_or_outdated_changes_nothing
        """

    async def prolong(self, outage: Outage, probe_in: timedelta) -> Outage | None:
        """A probe has failed: one more trip, and the next probe after ``probe_in``. Return the outage as it is now.

        - None if it is over, or was prolonged since. test_what_is_over_or_outdated_changes_nothing
        """

    async def hasten(self, outage: Outage, hold: timedelta) -> Outage | None:
        """Let the next probe be due now, unless it is within ``hold`` anyhow. Return the outage as it is now.

        - A probe that is under way stays the only one. test_a_hastened_probe_is_one
        - None if it is over, or was prolonged since. test_what_is_over_or_outdated_changes_nothing
        """

    async def end(self, outage: Outage) -> None:
        """It is over.

        - Ending it twice, or one that is not open, changes nothing. test_what_is_over_or_outdated_changes_nothing
        """

    async def take_notice(self, hold: timedelta) -> OutageNotice | None:
        """A notice that nobody has been told of, hidden from others for ``hold``.

        - The beginning of an outage has a notice, and so has its end.
          test_an_outage_is_told_when_it_begins_and_when_it_ends
        - One that repeats another is told only if it lasts. test_an_outage_that_repeats_another_is_told_if_it_lasts
        - One that ended untold has one notice. test_an_outage_that_ended_untold_is_told_once
        - A notice comes again after ``hold`` unless it was told. test_an_untold_outage_notice_comes_back
        """

    async def mark_told(self, notice: OutageNotice) -> None:
        """Note that the administrator knows.

        - Of the beginning alone, if the notice was of the beginning. test_telling_of_the_beginning_leaves_the_end_to_tell
        """
