"""The port by which workers know of each other's outages. What they make of it is in ``outages``."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from galaxy_mail.domain.notices import OutageNotice
from galaxy_mail.domain.outages import Outage
from galaxy_mail.domain.verdicts import Verdict


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
