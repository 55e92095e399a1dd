"""I0 to I9: what the tables and the relay's ledger say of each other once a world has come to rest.

Each function is one sentence of the design; what it yields breaks it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from galaxy_mail.adapters.memory.auditing import breaches
from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.delivery import AttemptOutcome, DeliveryStatus, RecipientState
from tests.simulation.books import Books, seconds
from tests.simulation.clocks import GENESIS
from tests.simulation.ledger import Copy
from tests.simulation.relay import DATA_BUDGET

Broken = Iterator[str]

SUCCESS = AttemptOutcome.SUCCESS


def _named(row: Row) -> str:
    return str(row.delivery_id)


def i0_sent_has_a_copy(books: Books) -> Broken:
    """I0: sent with no copy at the server: 0; every recipient that is marked as accepted has one."""
    for row in books.rows.values():
        there = {copy.recipient for copy in books.copies_of(row)}
        if row.status is DeliveryStatus.SENT and not there:
            yield f"{_named(row)} is sent, and the relay has no copy"
        for each in row.recipients:
            if each.state is RecipientState.ACCEPTED and str(each.recipient.address) not in there:
                yield f"{_named(row)} is marked as accepted for {each.recipient.address}, who has no copy"


def i1_success_joins_the_ledger(books: Books) -> Broken:
    """I1: every success joins one server line by queue id and Message-ID."""
    lines = {(copy.queue_id, copy.message_id) for copy in books.copies}
    said = Counter(
        (attempt.remote_id or "", row.message_id)
        for row in books.rows.values()
        for attempt in row.log
        if attempt.outcome is SUCCESS
    )
    for (queue_id, message_id), times in said.items():
        if (queue_id, message_id) not in lines:
            yield f"{message_id} was a success as {queue_id!r}, of which the relay knows nothing"
        if times > 1:
            yield f"{message_id} was {times} successes as {queue_id}"


def i2_every_copy_is_accounted_for(books: Books) -> Broken:
    """I2: per recipient: successes ≤ copies ≤ successes + ambiguous; and no recipient is a success twice."""
    for row in books.rows.values():
        ambiguous = sum(attempt.ambiguous for attempt in row.log)
        succeeded = {attempt.remote_id for attempt in row.log if attempt.outcome is SUCCESS}
        by_recipient: dict[str, list[Copy]] = defaultdict(list)
        for copy in books.copies_of(row):
            by_recipient[copy.recipient].append(copy)
        for recipient, copies in by_recipient.items():
            successes = sum(copy.queue_id in succeeded for copy in copies)
            if len(copies) > successes + ambiguous:
                yield (
                    f"{_named(row)} reached {recipient} {len(copies)} times, "
                    f"with {successes} successes and {ambiguous} ambiguous attempts"
                )
            if successes > 1:
                yield f"{_named(row)} was sent to {recipient} again, who had accepted it"


def i3_nothing_is_leased(books: Books) -> Broken:
    """I3: no token without a live lease, once idle none."""
    for row in books.rows.values():
        if row.token is not None:
            yield f"{_named(row)} is still held by {row.claimed_by}"


def i4_attempts_are_burned_rows(books: Books) -> Broken:
    """I4: ``attempts`` = burned attempt rows since the last resend."""
    for row in books.rows.values():
        since = row.resends[-1].after_attempt if row.resends else 0
        burned = sum(attempt.burned for attempt in row.log if attempt.number > since)
        if burned != row.attempts:
            yield f"{_named(row)} counts {row.attempts} attempts, and {burned} of its attempt rows burned"


def i5_the_end_is_final(books: Books) -> Broken:
    """I5: no transition out of a terminal state without a resend record."""
    resends: Counter[str] = Counter()
    for change in books.changes:
        if change.before is not None and change.before.terminal:
            resends[str(change.delivery_id)] += 1
            if change.doing != "resend" or change.resends != resends[str(change.delivery_id)]:
                yield (
                    f"{change.delivery_id} went from {change.before} to {change.after} by {change.who}'s "
                    f"{change.doing}, with {change.resends} resend records"
                )


def i6_sent_has_a_success(books: Books) -> Broken:
    """I6: sent ⇒ a success exists; pending or retrying ⇒ some recipient is open."""
    for row in books.rows.values():
        open_ones = [each for each in row.recipients if each.state is RecipientState.OPEN]
        if row.status is DeliveryStatus.SENT and not any(attempt.outcome is SUCCESS for attempt in row.log):
            yield f"{_named(row)} is sent without a success"
        if row.status.terminal == bool(open_ones):
            yield f"{_named(row)} is {row.status} with {len(open_ones)} open recipients"


def i7_copies_are_equal(books: Books) -> Broken:
    """I7: one Message-ID, one hash, while the template version is the same."""
    digests: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for copy in books.copies:
        digests[copy.message_id, copy.edition].add(copy.digest)
    for (message_id, edition), different in digests.items():
        if len(different) > 1:
            yield f"{message_id} went out in {len(different)} shapes from edition {edition}"


def i8_nothing_after_expiry(books: Books) -> Broken:
    """I8: no body is begun after expiry (P9), and so there is no copy after expiry + the data budget."""
    for row in books.rows.values():
        if row.expires_at is not None:
            expiry = seconds(row.expires_at)
            for copy in books.copies_of(row):
                if copy.begun >= expiry or copy.taken > expiry + DATA_BUDGET:
                    yield (
                        f"{_named(row)} expired at {expiry:.4f} s, and {copy.queue_id} was begun "
                        f"at {copy.begun:.4f} s and taken at {copy.taken:.4f} s"
                    )


def i9_every_copy_is_ours(books: Books) -> Broken:
    """I9: no copy with an unknown Message-ID."""
    known = {row.message_id for row in books.rows.values()}
    for copy in books.copies:
        if copy.message_id not in known:
            yield f"the relay has {copy.queue_id}, whose Message-ID {copy.message_id!r} nobody knows"


def the_shipped_audit_agrees(books: Books) -> Broken:
    """What ``galaxy-mail audit`` asks of the tables holds too; nobody holds a lease any more, so the hour is all one."""
    for breach in breaches(books.rows.values(), limit=3, now=GENESIS):
        yield f"{breach.invariant.means} Broken by {', '.join(map(str, breach.delivery_ids))}"
