"""The operator's ports: what the commands that look and mend ask of the world, as laws. ``ports`` tells how to read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.health import RelayReport, TableHealth, Transactions, Untold
from galaxy_mail.domain.invariants import Breach
from galaxy_mail.domain.mail import Mail
from galaxy_mail.domain.records import DeliveryQuery, DeliveryRecord, DeliverySummary
from galaxy_mail.domain.shape import Shape


class Operations(Protocol):
    """What an operator and the metrics ask for."""

    async def stats(self) -> Mapping[DeliveryStatus, int]:
        """The live count of deliveries, with a key for every status. test_stats_counts_every_status"""

    async def find(self, delivery_id: UUID) -> DeliveryRecord | None:
        """All that is known of one delivery; None if there is none. test_find_returns_recipients_and_attempts"""

    async def search(self, query: DeliveryQuery) -> tuple[DeliverySummary, ...]:
        """Deliveries that match, newest first. test_search_filters_and_limits"""

    async def resend(self, delivery_id: UUID, by: str) -> None:
        """Put a dead letter back into the queue: counters reset, refused recipients open, and the act recorded.

        - A resent delivery is pending, due at once, with a fresh age. test_a_resent_dead_letter_starts_afresh
        - ``UnknownDelivery``, or ``ResendRefused`` unless it is an unexpired dead letter with its secrets intact.
          test_resend_refuses_what_cannot_be_sent
        - What was held as uncertain is held again when it is uncertain again.
          test_a_mail_that_is_to_be_held_is_not_tried_again
        - Of two operators who resend at once, one is refused. test_two_operators_resend_once
        """

    async def purge(self, ended_before: timedelta, limit: int) -> int:
        """Delete at most ``limit`` deliveries that ended longer ago than this, oldest first; return how many there were.

        - Only what ended long enough ago, and is told where it is to be told, goes; with it all that is known of it.
          test_purge_takes_only_what_ended_long_ago
        - The count by status stays right. test_purge_keeps_the_count
        - Outages go as well, also an open one that nobody has probed for as long and a day.
          test_purge_forgets_what_nobody_waits_for
        """

    async def audit(self, limit: int) -> tuple[Breach, ...]:
        """The invariants that do not hold, in the order of ``Invariant``, with at most ``limit`` deliveries each.

        - An outbox that only galaxy_mail has written breaks none, whatever became of its mails and workers.
          test_an_audit_of_a_sound_outbox_finds_nothing
        - Nobody need take over what a dead worker left while the relay is left alone.
          test_an_audit_knows_that_nobody_claims_in_an_outage
        - It reads one state of everything, once, and changes nothing. test_an_audit_changes_nothing
        """

    async def shape(self, domains: int, most: int) -> Shape:
        """Who waits: the recipients that are open of what is alive and not planned for later, by age and domain.

        An age counts as that of a claim does: from the enqueue, ``send_at`` or the last resend.

        - At most ``domains`` of them are told, those with most first; the total is of all.
          test_the_shape_counts_who_waits_by_age_and_domain
        - Each tells the last word about whoever was tried last there. test_the_shape_tells_the_last_word
        - It looks at ``most`` deliveries of each lane, those that are due first, and says if there are more.
          test_the_shape_is_bounded_and_says_so
        """

    async def load_mail(self, delivery_id: UUID) -> Mail:
        """The mail as it was ordered, for a copy under a new id. test_a_stored_mail_can_be_loaded

        Raises ``UnknownDelivery``, or ``ResendRefused`` if its secrets are wiped or it cannot be read back.
        """


class Diagnostics(Protocol):
    """What a doctor asks of a store's database. Each is one cheap look, which changes nothing and waits for nobody."""

    async def check_schema(self) -> None:
        """Return if the schema is what this release needs; else raise ``SchemaOutdated``, saying what is not.

        - test_a_sound_schema_passes
        """

    async def now(self) -> datetime:
        """The instant of the clock that decides what is due. test_the_stores_own_clock_is_told"""

    async def oldest_due(self) -> timedelta | None:
        """How long the mail that is due longest has waited; None if none is due.

        - Neither what is planned for later nor what somebody holds is due. test_the_longest_wait_is_told
        """

    async def untold(self) -> Untold:
        """What the administrator is still to be told of. test_untold_ends_are_counted"""

    async def tables(self) -> tuple[TableHealth, ...]:
        """Each table of the store, by name. test_every_table_is_told_of"""

    async def transactions(self) -> Transactions:
        """The oldest transaction that is open, our own aside. test_the_oldest_transaction_is_told"""


class RelayProbe(Protocol):
    """A look at the relay, as a worker would see it."""

    async def look(self) -> RelayReport:
        """Connect and go as far as one can without naming a mail: EHLO, TLS, the login; then leave.

        - No mail is begun. test_a_probe_begins_no_mail
        - Whatever fails is a report, and never an exception. test_a_probe_reports_what_fails
        - A report repeats no secret, though the relay may. test_a_report_repeats_no_secret
        """
