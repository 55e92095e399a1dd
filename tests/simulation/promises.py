"""The promises that a world can break, as sentences over its books; what a function yields breaks its promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.delivery import AttemptOutcome, DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.outages import LASTS, RELAY
from galaxy_mail.domain.records import AttemptRecord
from galaxy_mail.domain.verdicts import Stage
from tests.simulation.books import Books, seconds
from tests.simulation.weather import LONGEST_TRIP
from tests.simulation.words import OPENING

Broken = Iterator[str]

SUCCESS = AttemptOutcome.SUCCESS


def p1_a_promise_is_kept(books: Books) -> Broken:
    """P1: commit means the mail exists, rollback means nothing happened."""
    for delivery_id in books.promised - books.rows.keys():
        yield f"{delivery_id} was promised and is not there"
    for delivery_id in books.taken_back & books.rows.keys():
        yield f"{delivery_id} was rolled back and is there"


def p2_nothing_is_lost(books: Books) -> Broken:
    """P2: every delivery ends ``sent`` or ``dead_lettered`` with a reason, and the reason is true."""
    for row in books.rows.values():
        if not row.status.terminal:
            yield f"{row.delivery_id} did not end: it is {row.status}"
        elif (row.status is DeliveryStatus.DEAD_LETTERED) != (row.reason is not None):
            yield f"{row.delivery_id} is {row.status} for the reason {row.reason}"
        elif row.reason is not None and not _true(row, row.reason, books):
            yield f"{row.delivery_id} was given up as {row.reason}, which is not so"


def _true(row: Row, reason: DeadLetterReason, books: Books) -> bool:
    assert row.finished_at is not None, "who was given up has ended"
    retry, since = books.config.retry, _since(row)
    longest = max(retry.backoff.cap, retry.long_delay) * 1.25  # the next attempt would have come too late
    match reason:
        case DeadLetterReason.REFUSED:
            return any(attempt.outcome is AttemptOutcome.PERMANENT_ERROR for attempt in row.log)
        case DeadLetterReason.EXHAUSTED:
            return row.attempts >= retry.max_attempts
        case DeadLetterReason.EXPIRED:
            return row.expires_at is not None and row.finished_at + longest >= row.expires_at
        case DeadLetterReason.AGED_OUT:
            return row.finished_at - row.queued_at + longest >= retry.max_age
        case DeadLetterReason.POISON:
            abandoned = [attempt for attempt in row.log if _abandoned(attempt) and attempt.number > since]
            return len(abandoned) >= retry.abandoned_limit
        case DeadLetterReason.UNCERTAIN:
            return row.hold_uncertain and any(each.ambiguous and each.number > since for each in row.log)
        case _:
            return False  # every mail of these worlds can be rendered


def _since(row: Row) -> int:
    return row.resends[-1].after_attempt if row.resends else 0


def p3_what_is_held_waits_for_a_person(books: Books) -> Broken:
    """P3: a mail that is to be held is not claimed again after an ambiguous attempt, but by a resend: no copy comes after it."""
    for row in books.rows.values():
        resent_after = {resend.after_attempt for resend in row.resends}
        for attempt in row.log:
            again = attempt.number < row.claims and attempt.number not in resent_after
            if row.hold_uncertain and attempt.ambiguous and again:
                yield f"{row.delivery_id} was claimed again after attempt {attempt.number}, which may have gone through"


def p4_a_healthy_worker_keeps_its_leases(books: Books) -> Broken:
    """P4: a lease is renewed while any stage runs: who loses one has died, frozen, or been failed by the store."""
    for row in books.rows.values():
        for attempt in filter(_abandoned, row.log):
            begin = seconds(attempt.started_at) - LONGEST_TRIP  # the claim was asked for before it was issued
            end = seconds(attempt.started_at + attempt.duration)
            if not any(begin <= excuse <= end for excuse in books.excuses[attempt.worker]):
                yield f"{row.delivery_id}: {attempt.worker} lost claim {attempt.number} without an excuse"


def p5_every_claim_is_closed_once(books: Books) -> Broken:
    """P5: a zombie changes nothing: of every claim there is one attempt row, or it was given back or given up without any."""
    for row in books.rows.values():
        closed = Counter(attempt.number for attempt in row.log)
        closed.update(number for delivery_id, number in books.closed if delivery_id == row.delivery_id)
        for number in range(1, row.claims + 1):
            if closed[number] != 1:
                yield f"{row.delivery_id}: claim {number} was closed {closed[number]} times"


def p5_only_the_latest_token_wins(books: Books) -> Broken:
    """P5: a settlement, a renewal or a release wins only with the latest claim token issued for that row, and not twice."""
    yield from books.usurpers


def p5_no_body_without_a_lease(books: Books) -> Broken:
    """P5: no body is begun under a lease that has run out: local time only shortens trust."""
    for body in books.bodies:
        if not body.leased:
            yield f"{body.worker} began the body of {body.message_id} at {body.at:.4f} s without a lease"


def p7_outages_burn_nothing(books: Books) -> Broken:
    """P7: an outage of the relay (connect, banner, TLS, AUTH, 421) burns no attempt and dead-letters nothing.

    A 421 that follows the refusal of a recipient is told as a 421, and burns for that recipient.
    """
    for row in books.rows.values():
        alone = len(row.recipients) == 1
        for attempt in row.log:
            closing = attempt.code == 421 and alone
            if attempt.burned and (attempt.stage in OPENING or closing or _abandoned(attempt)):
                yield f"{row.delivery_id}: attempt {attempt.number} burned, which ended at {attempt.stage} ({attempt.code})"


def p7_an_outage_ends(books: Books) -> Broken:
    """P7: an outage ends when mail gets through: who sends in good weather, when all have heard of it, has made its probe."""
    known_by_all = books.calm_at + LONGEST_TRIP + 2 * books.config.poll_interval.total_seconds()
    for outage in books.outages:
        if outage.closed_at is None and outage.scope == RELAY:
            for row in books.rows.values():
                for attempt in row.log:
                    begun = seconds(attempt.started_at)
                    if attempt.outcome is SUCCESS and begun > max(
                        known_by_all, seconds(outage.opened_at) + LONGEST_TRIP
                    ):
                        yield f"{row.delivery_id} was sent in an outage that never ended"


def p7_an_outage_is_told(books: Books) -> Broken:
    """P7, P15: of each outage somebody was told that it has ended, or, as long as it lasts, that it has begun.

    What a worker reported as its last deed, when nobody else worked any more, will be told by the next one. What repeats
    another one is told only if it lasts.
    """
    for outage in books.outages:
        if seconds(outage.closed_at or outage.opened_at) > books.rested_at:
            continue
        lasted = seconds(outage.closed_at) if outage.closed_at else books.rested_at
        if outage.repeats and lasted - seconds(outage.opened_at) < LASTS.total_seconds():
            continue
        if (outage.outage_id, outage.closed_at) not in books.told_of_outages:
            yield f"nobody was told that the outage of {outage.scope} {'ended' if outage.closed_at else 'began'}"


def p11_who_is_asked_to_stop_stops(books: Books) -> Broken:
    """P11: a worker that is asked to stop stops, whatever it is doing; it need not be asked again."""
    for worker in books.deaf:
        yield f"{worker} did not stop when it was asked"


def p15_somebody_was_told(books: Books) -> Broken:
    """P15: a notice is told at least once: of every dead letter, and of every mail that some recipients refused."""
    for row in books.rows.values():
        refused = any(each.state is RecipientState.REFUSED for each in row.recipients)
        if (refused or row.status is DeliveryStatus.DEAD_LETTERED) and not any(
            delivery_id == row.delivery_id and ended_at == row.finished_at
            for delivery_id, ended_at in books.told
        ):
            yield f"{row.delivery_id} is {row.status} ({row.reason}), and nobody was told"


def the_world_ended(books: Books) -> Broken:
    """Every worker that was asked to stop has stopped, none has crashed, and the store came to rest."""
    yield from books.troubles


def _abandoned(attempt: AttemptRecord) -> bool:
    return attempt.stage == Stage.ABANDONED
