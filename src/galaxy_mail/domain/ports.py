"""The ports: what galaxy_mail asks of the world, as laws.

Each method is described in four parts: what it promises, when it refuses, what it may raise, and what holds when many call
it at once. Every line that begins with a dash is a law, followed by the test of ``galaxy_mail.testing.contracts`` that
proves it. An adapter is right when it passes the contract suite of its port unmodified. To write a store, start with
``Outbox`` and ``Queue``: producers and workers need no more.

Three rules hold for all ports:

* What is refused in the ordinary course of things is returned, not raised.
* What is raised is a ``GalaxyMailError``; foreign exceptions end at the adapter.
* Durations go in, durations come out. Only the store's clock decides what is due, leased or expired.

What operators ask for is beside this, in ``operator_ports``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from galaxy_mail.domain.leases import Absence, Claim, ClaimRequest, Held, Sign
from galaxy_mail.domain.mail import Content, NewDelivery
from galaxy_mail.domain.notices import AnyNotice, Notice
from galaxy_mail.domain.operator_ports import Operations
from galaxy_mail.domain.settlement import Settlement
from galaxy_mail.domain.verdicts import Envelope, Fault, Receipt
from galaxy_mail.domain.worker_ports import Bell, Outages

Tx = TypeVar("Tx")
Tx_contra = TypeVar("Tx_contra", contravariant=True)

Gate = Callable[[], Fault | None]
"""Asked once, immediately before the first octet of a body may leave; a fault withholds the body."""


class Outbox(Protocol[Tx_contra]):
    """Where producers put mail."""

    async def enqueue(self, delivery: NewDelivery, within: Tx_contra | None = None) -> UUID:
        """Store the delivery, its payload and its recipients: all or nothing, and return its id.

        Promises
        - Inside ``within`` it shares that transaction's fate. test_enqueue_shares_the_fate_of_the_callers_transaction
        - Without ``within`` it is committed when the call returns. test_enqueue_alone_is_committed_on_return
        - It is due at once, or at ``send_at``; ``ttl`` counts from the call. test_a_delivery_is_not_due_before_send_at
        - Its Date is the moment of the call, or ``send_at`` if that is later.
          test_a_delivery_is_dated_when_it_is_due_first
        - A key used before, with equal content, returns the first id and stores nothing.
          test_the_same_key_and_content_is_one_delivery
        - Once the first one's secrets are wiped, equal public content is enough.
          test_a_wiped_secret_no_longer_distinguishes

        May raise
        - ``IdempotencyConflict`` if the key was used with other content. test_the_same_key_with_other_content_conflicts
        - ``UnusableTransaction`` if ``within`` is not an open transaction of this store.
          test_enqueue_refuses_what_is_not_an_open_transaction
        - ``StoreUnavailable`` if the store fails.

        Concurrency
        - Of many callers with one key, one delivery comes out. test_racing_producers_with_one_key_make_one_delivery
        """

    async def enqueue_many(
        self, deliveries: Sequence[NewDelivery], within: Tx_contra | None = None
    ) -> tuple[UUID, ...]:
        """Store many deliveries as ``enqueue`` would one by one, in one transaction; return an id for each, in their order.

        - All of them or, if it raises, none. test_a_conflict_among_many_stores_none
        - An id for each place; a key that comes twice, here or before, is one delivery. test_many_keep_their_places
        """


class Queue(Protocol):
    """Where workers take mail from and account for it."""

    async def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """Take at most ``request.limit`` due deliveries, each under a new token and a lease.

        Promises
        - A claim only issues a token: status and attempts stay. test_a_claim_changes_no_status_and_burns_nothing
        - The urgent lane is served before the normal, the normal before bulk; within a lane, whoever is due longer comes
          first. test_lanes_are_claimed_in_order
        - ``request.kept_behind`` places are kept for each lane behind, as far as something is due there: none stands still.
          test_a_flood_leaves_a_share_to_the_lanes_behind
        - A lease lasts up to its deadline and not beyond. test_a_lease_ends_at_its_deadline
        - A due delivery under an expired lease is taken over: the open attempt is written as an ambiguous transient error
          and counted in ``abandoned``. test_an_expired_lease_is_reclaimed_and_its_attempt_recorded
        - At ``abandoned_limit`` it is dead-lettered as poison instead, or sent if anyone has accepted it.
          test_a_delivery_abandoned_too_often_is_poison; test_a_poisonous_mail_that_somebody_accepted_is_sent
        - One that is to be held when it is uncertain is not taken over: it is dead-lettered as uncertain, or sent if anyone has
          accepted it. test_an_abandoned_mail_that_is_to_be_held_is_uncertain;
          test_an_abandoned_mail_to_be_held_that_somebody_accepted_is_sent
        - Deliveries that were abandoned once are claimed before and without others, at most ``suspects_together`` of them.
          test_suspects_are_claimed_first_and_without_others
        - A delivery that was abandoned twice is claimed alone. test_a_suspect_of_two_losses_is_claimed_alone
        - With ``request.overdue_after`` it takes what has expired or is older than that, and nothing else.
          test_only_what_is_overdue_is_taken_if_asked
        - A mail that cannot be read back is claimed as ``Unreadable``, and delays no other.
          test_an_unreadable_mail_is_claimed_as_such

        Concurrency
        - Two claimants never share a delivery. test_two_claimants_never_share_a_delivery
        """

    async def urgent_due(self) -> bool:
        """Whether something waits in the urgent lane. A busy worker asks often, so it costs one look, and no row is locked.

        - It is true from the commit until the claim. test_what_is_urgent_and_due_is_seen
        """

    async def renew(
        self, claims: Sequence[Held], lease: timedelta, sign: Sign | None = None
    ) -> frozenset[UUID]:
        """Extend the leases to ``lease`` from now; return the ids of deliveries whose claims are lost.

        - A renewed claim outlives its first lease. test_a_renewed_lease_outlives_the_first
        - It bears ``sign`` from now on, or none. test_a_renewal_changes_the_sign
        - A stale claim is not renewed. test_a_stale_claim_cannot_renew
        """

    async def end_leases_of_the_gone(self, missed: frozenset[Sign]) -> Absence:
        """Say whose sign of life is missing; of ``missed``, which have been missing before, end the leases now.

        Promises
        - Leases under a sign that was missed, and is missing, are over at once. test_the_leases_of_the_gone_end_at_once
        - Their end rings. test_the_end_of_a_lease_rings
        - A sign that was not missed before is told, and ends nothing yet. test_a_sign_that_is_missed_first_ends_nothing
        - A sign that is there keeps its leases, though it was missed. test_a_sign_that_is_there_keeps_its_leases
        - A claim without a sign is left to its lease. test_an_unsigned_claim_is_left_to_its_lease
        - Once no lease is left under it, a missing sign is forgotten. test_a_sign_without_leases_is_forgotten
        """

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[UUID]:
        """Write down what became of claims, in one transaction; return the ids of deliveries whose claims were lost.

        Promises
        - Only the latest token settles. test_a_stale_claim_is_refused_and_changes_nothing;
          test_of_a_stale_and_a_fresh_claim_the_fresh_one_settles
        - A settled claim is spent. test_a_claim_settles_once
        - Status, attempt, recipients and counters change together. test_a_settlement_is_written_whole
        - Without an attempt none is recorded, and recipients keep the last word about them.
          test_a_delivery_is_given_up_without_an_attempt
        - An attempt is dated by its end, however late it is written down. test_an_attempt_keeps_its_date
        - It can be put off without an attempt, and nothing is counted. test_a_delivery_is_put_off_without_an_attempt
        - ``attempts`` grows by one if the attempt burned; ``deferrals`` counts those in a row that did not.
          test_only_a_burned_attempt_counts
        - A retry is due after ``retry_in`` and not before. test_a_retry_is_not_due_before_its_delay
        - Secrets are wiped with the terminal status. test_secrets_are_wiped_when_a_delivery_ends
        """

    async def release(self, claims: Sequence[Held]) -> frozenset[UUID]:
        """Give claims back untouched; return the ids of deliveries whose claims were lost.

        - A released delivery is due at once, and nothing was counted. test_a_released_delivery_is_due_again_at_once
        - It is due where it was, before what was enqueued after it. test_what_is_given_back_keeps_its_place;
          test_a_retry_that_is_given_back_overtakes_nobody
        - A stale claim releases nothing. test_a_stale_claim_cannot_release
        """

    async def take_notices(self, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        """Return at most ``limit`` notices that nobody has been told of, and hide them from others for ``hold``.

        - A dead letter has a notice, as has a delivery settled with ``tell_admin``. test_a_dead_letter_leaves_a_notice
        - A notice comes again after ``hold`` unless it was told. test_an_untold_notice_comes_back
        """

    async def mark_told(self, notices: Sequence[Notice]) -> None:
        """Note that the administrator knows.

        - What was told does not come back. test_a_told_notice_does_not_come_back
        - A delivery that was resent and ended again since is still to be told. test_a_second_end_is_told_too
        """

    def outages(self) -> Outages:
        """The outages that the workers of this store know of, the same for all of them."""

    def bell(self) -> Bell:
        """A new bell that the commits of this store ring; a store that cannot ring gives one that never does."""


class Store(Outbox[Tx], Queue, Operations, Protocol[Tx]):
    """The whole of it, over one database."""

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """Open one of the store's own transactions: committed on leaving, rolled back on an exception.

        - The caller's own exception leaves it unchanged. test_a_callers_own_error_leaves_its_transaction_as_it_was
        """


class SmtpSender(Protocol):
    """The way to the relay."""

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """Run one SMTP transaction for a finished message (CRLF line ends, not dot-stuffed) and say what became of it.

        Promises
        - One verdict for each recipient, in the envelope's order. test_every_recipient_gets_its_own_verdict
        - It returns when the reply to the dot is in, before anything else is said to the server.
        - What the server received is the message, octet for octet. test_the_message_arrives_octet_for_octet
        - The gate is asked right before the body; a fault there withholds it. test_a_closed_gate_withholds_the_body
        - SMTP and network failures are verdicts, never exceptions. test_a_failure_is_a_verdict
        - Many may send at once. test_concurrent_sends_do_not_mix
        """

    async def aclose(self) -> None:
        """Let transactions under way finish, then close every connection. test_closing_twice_is_harmless"""


class AdminNotifier(Protocol):
    """The way to a person. Never travels through the outbox it reports on."""

    async def notify(self, notice: AnyNotice) -> None:
        """Tell an administrator of a delivery, or of an outage. May raise or hang: the caller bounds it, and will tell again later.

        - Any notice can be told, again and again. test_any_notice_can_be_told
        - A notice reveals no secret, so neither does what was told.
        """


class TemplateRenderer(Protocol):
    """From a template's name and its variables to text."""

    def render(self, template: str, variables: Mapping[str, object]) -> Content:
        """Render subject, text and, where the template has one, HTML.

        - The same input gives the same content, version included. test_rendering_is_deterministic
        - Data is escaped in HTML and cannot run code. test_data_is_never_markup_or_code
        - ``TemplateNotFound`` for a name that is unknown or no plain name. test_an_unknown_template_is_named
        - ``TemplateInvalid`` for a missing variable, a broken template, or a subject that is not one clean line.
          test_a_missing_variable_is_an_error; test_a_subject_of_two_lines_is_refused
        - An error names the template and the variable, and repeats no value. test_errors_do_not_repeat_values
        """


class Clock(Protocol):
    """Time as a worker needs it. What is due, leased or expired is decided by the store, not here."""

    def monotonic(self) -> float:
        """Seconds that never run backwards. test_time_does_not_run_backwards"""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC; for plausibility checks and display only. test_now_is_aware"""

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of this clock, or be cancelled. test_sleep_lasts_as_long_as_asked"""


class Entropy(Protocol):
    """Ids and dice."""

    def delivery_id(self) -> UUID:
        """A new UUIDv7 (RFC 9562 section 5.7). test_ids_are_distinct_version_7"""

    def dice(self) -> float:
        """A number in ``[0, 1)``. test_dice_stay_in_their_range"""
