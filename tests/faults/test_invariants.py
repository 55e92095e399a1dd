"""The checker has teeth: each violation, planted into good books, is found by the invariant that is there for it."""

from __future__ import annotations

import uuid
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import attrs
import pytest

from galaxy_mail.app.container import migration_script
from galaxy_mail.domain.invariants import Invariant as Audited
from tests.faults import invariants
from tests.faults.database import NOTE_EXITS, PASSWORD, PREPARE, SCHEMA, Session
from tests.faults.invariants import INVARIANTS, Invariant, check
from tests.faults.ledger import Seen
from tests.faults.secrets import SMTP_PASSWORD, SMTP_USER

MAIL = "11111111-1111-1111-1111-111111111111"
COPY = Seen("Q1", "mail@example.org", ("ada@example.org", "bob@example.org"), b"digest", 1_000_000_000.0)
OTHER = attrs.evolve(COPY, queue_id="Q2")

GOOD = f"""
insert into {SCHEMA}.mail_deliveries
    (delivery_id, status, lane, template, message_id, next_attempt_at, claims, attempts, created_at, queued_at, dated_at,
     expires_at, finished_at, idempotency_key)
values ('{MAIL}', 'sent', 1, 'letter', '{COPY.message_id}', now(), 1, 1, now(), now(), now(),
        to_timestamp({COPY.at}), now(), 'order');
insert into {SCHEMA}.mail_tally values ('w', 'sent', 1);
insert into {SCHEMA}.mail_payloads (delivery_id, sender_address, sender_name, context, content_digest)
values ('{MAIL}', 'no-reply@example.org', '', '{{}}', '');
insert into {SCHEMA}.mail_recipients (delivery_id, position, kind, address, name, state)
values ('{MAIL}', 0, 'to', 'ada@example.org', '', 'accepted'), ('{MAIL}', 1, 'cc', 'bob@example.org', '', 'accepted');
insert into {SCHEMA}.mail_attempts
    (delivery_id, attempt_no, started_at, finished_at, outcome, stage, blame, burned, ambiguous, detail, remote_id, worker,
     template_version)
values ('{MAIL}', 1, to_timestamp({COPY.at}), now(), 'success', 'dot', 'nobody', true, false, '', 'Q1', 'w', 'v');
insert into faults.orders values ('order', '{MAIL}', 'committed');
"""
NONE = "select"
ATTEMPTS, DELIVERIES = f"{SCHEMA}.mail_attempts", f"{SCHEMA}.mail_deliveries"
DEAD = f"update {DELIVERIES} set status = 'dead_lettered', dead_letter_reason = 'refused'"
DOUBT = f"update {ATTEMPTS} set ambiguous = true, outcome = 'transient_error'"

ECHOED = b64encode(f"\0{SMTP_USER}\0{SMTP_PASSWORD}".encode()).decode()
TOLD = (
    f"update {ATTEMPTS} set detail = 'your SECRET1 is spam'",
    f"update {ATTEMPTS} set detail = 'what is AUTH PLAIN {ECHOED}'",
    f"update {SCHEMA}.mail_recipients set detail = 'wrong: {SMTP_PASSWORD}'",
    f"update {DELIVERIES} set template = '{PASSWORD}'",
    f"update {SCHEMA}.mail_payloads set context = '[\"Dear Ada, this is your letter.\"]'",
    f"create table {SCHEMA}.mail_gossip ()",
)

PLANTED: list[tuple[Invariant, str, list[Seen]]] = [
    (invariants.orders_are_kept, f"delete from {DELIVERIES}", []),
    (invariants.orders_are_kept, f"update {DELIVERIES} set status = 'retrying', finished_at = null", [COPY]),
    (invariants.orders_are_kept, "update faults.orders set delivery_id = gen_random_uuid()", [COPY]),
    (invariants.rollbacks_leave_nothing, "update faults.orders set fate = 'rolled_back'", [COPY]),
    (invariants.sent_means_a_copy, "", []),
    (invariants.successes_join_the_ledger, f"update {ATTEMPTS} set remote_id = 'Q7'", [COPY]),
    (invariants.successes_join_the_ledger, f"update {ATTEMPTS} set remote_id = null", [COPY]),
    (invariants.copies_are_explained, "", [COPY, OTHER]),
    (invariants.copies_are_explained, DOUBT, [COPY, OTHER, attrs.evolve(COPY, queue_id="Q3")]),
    (invariants.copies_are_explained, "", [attrs.evolve(COPY, recipients=("ada@example.org",))]),
    (
        invariants.copies_are_explained,
        f"{DEAD}; update {SCHEMA}.mail_recipients set state = 'refused'",
        [COPY],
    ),
    (
        invariants.tokens_have_leases,
        f"update {DELIVERIES} set status = 'pending', finished_at = null, claim_token = gen_random_uuid()",
        [COPY],
    ),
    (
        invariants.only_resends_leave_an_end,
        f"{DEAD}; update {DELIVERIES} set status = 'pending', dead_letter_reason = null, finished_at = null",
        [COPY],
    ),
    (invariants.only_resends_leave_an_end, DEAD, [COPY]),
    (invariants.copies_are_equal, "", [COPY, attrs.evolve(OTHER, digest=b"another")]),
    (invariants.nothing_comes_after_its_expiry, "", [attrs.evolve(COPY, at=COPY.at + 6)]),
    (invariants.copies_are_known, "", [COPY, attrs.evolve(OTHER, message_id="stranger@example.org")]),
    (invariants.copies_are_known, "", [attrs.evolve(COPY, recipients=(*COPY.recipients, "eve@example.org"))]),
    *[(invariants.tables_hold_no_secret, damage, [COPY]) for damage in TOLD],
]


@pytest.fixture
async def books(postgres_dsn: str) -> AsyncIterator[Session]:
    """A database of its own with one mail in good order."""
    name = f"books_{uuid.uuid4().hex[:12]}"
    owner = await asyncpg.connect(postgres_dsn)
    await owner.execute(f"create database {name}")
    session = await asyncpg.connect(postgres_dsn, database=name)
    try:
        await session.execute(migration_script(SCHEMA))
        await session.execute(PREPARE + NOTE_EXITS + GOOD)
        yield session
    finally:
        await session.close()
        await owner.execute(f"drop database {name} with (force)")
        await owner.close()


async def test_good_books_break_nothing(books: Session) -> None:
    """One mail, sent once, in time but for what a fault may have held it up."""
    findings = await check(books, [attrs.evolve(COPY, at=COPY.at + 4)], timedelta(seconds=5))
    assert findings.broken == ()
    assert (findings.rows, findings.lost, findings.unexplained, findings.extra_copies) == (1, 0, 0, 0)


async def test_every_planted_violation_is_found(books: Session) -> None:
    """Each by the invariant that has the sentence for it."""
    for invariant, damage, copies in PLANTED:
        transaction = books.transaction()
        await transaction.start()
        await books.execute(damage or NONE)
        findings = await check(books, copies, timedelta(seconds=5))
        await transaction.rollback()
        sentence = (invariant.__doc__ or "").strip()
        assert any(line.startswith(sentence) for line in findings.broken), (sentence, damage, copies)


async def test_the_shipped_audit_is_asked_too(books: Session) -> None:
    """What the tables tell alone is found by the audit's own sentence, at its delivery."""
    await books.execute(f"update {DELIVERIES} set attempts = 2")
    (line,) = (await check(books, [COPY])).broken
    assert line.startswith(Audited.ATTEMPTS_ARE_COUNTED.means)
    assert MAIL in line


async def test_the_figures_count_what_is_broken(books: Session) -> None:
    """A mail that is lost, copies too many, of which nobody knows, and a claim that is still held."""
    gone = await check(books, [])
    extra = await check(books, [COPY, OTHER])
    strange = await check(books, [COPY, attrs.evolve(OTHER, message_id="stranger@example.org")])
    await books.execute(
        f"update {DELIVERIES} set status = 'pending', finished_at = null, claim_token = gen_random_uuid()"
    )
    held = await check(books, [COPY])
    assert (gone.lost, gone.unexplained) == (1, 0)
    assert (extra.lost, extra.extra_copies, extra.unexplained) == (0, 2, 2)
    assert (strange.lost, strange.unexplained) == (0, 2)
    assert (held.open_attempts, held.leased_when_idle) == (1, 0)


def test_every_invariant_has_a_violation() -> None:
    """None is asked whose teeth nobody has seen."""
    assert {invariant for invariant, _, _ in PLANTED} == set(INVARIANTS)
