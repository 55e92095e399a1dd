"""The invariants: what must hold between the tables and the relay's own ledger once nothing moves any more.

Each is one question to the database, whose answer is what breaks it. ``faults.copies`` holds the ledger, a row for each
copy and recipient; ``faults.orders`` what producers were told; ``faults.exits`` who left a terminal status. What the tables tell
alone (I4, I6, the secrets that are wiped and more) is asked by ``audit.sql``, as ``galaxy-mail audit`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import attrs

from galaxy_mail.adapters.postgres.reports import breaches_from
from galaxy_mail.adapters.postgres.statements import Statements
from galaxy_mail.domain.invariants import LATE_COMMIT, LONGEST_LEASE, OVERDUE_TAKEOVER
from tests.faults.database import SCHEMA, Session
from tests.faults.ledger import Seen
from tests.faults.secrets import SECRET

Invariant = Callable[[], str]

WITHOUT_SECRETS = (
    *(
        "mail_deliveries",
        "mail_recipients",
        "mail_attempts",
        "mail_resends",
        "mail_outages",
        "mail_tally",
        "mail_bell",
    ),
    *("mail_signs", "schema_migrations"),
)
MANY = 100  # deliveries that are named for one sentence of the audit

# Per recipient of an envelope: how often the relay has its copy, and how often the tables can explain that.
BOOKS = f"""
books as (
    select d.delivery_id, d.message_id, r.address, r.state, d.status,
           (select count(*) from faults.copies as c
             where c.message_id = d.message_id and c.recipient = r.address) as copies,
           (r.state = 'accepted')::int as successes,
           (select count(*) from {SCHEMA}.mail_attempts as a
             where a.delivery_id = d.delivery_id and a.ambiguous) as doubts
      from {SCHEMA}.mail_deliveries as d join {SCHEMA}.mail_recipients as r using (delivery_id)
     where r.state is not null
)
"""


def orders_are_kept() -> str:
    """P1, P2: what was committed is there; and whatever is there is sent, or a dead letter with a reason."""
    return f"""
    select o.key, 'missing' from faults.orders as o left join {SCHEMA}.mail_deliveries as d on d.idempotency_key = o.key
     where o.fate = 'committed' and d.delivery_id is distinct from o.delivery_id
    union all
    select d.idempotency_key, d.status from {SCHEMA}.mail_deliveries as d
     where status <> 'sent' and (status <> 'dead_lettered' or dead_letter_reason is null)
    """


def rollbacks_leave_nothing() -> str:
    """P1: what was rolled back is in no table."""
    return f"""
    select o.key from faults.orders as o join {SCHEMA}.mail_deliveries as d on d.idempotency_key = o.key
     where o.fate = 'rolled_back'
    """


def sent_means_a_copy() -> str:
    """I0: no delivery is sent of which the relay has no copy."""
    return f"""
    select delivery_id from {SCHEMA}.mail_deliveries as d
     where status = 'sent' and not exists (select from faults.copies as c where c.message_id = d.message_id)
    """


def successes_join_the_ledger() -> str:
    """I1: every success is one line of the ledger, by queue id and Message-ID."""
    return f"""
    select a.delivery_id, a.attempt_no from {SCHEMA}.mail_attempts as a join {SCHEMA}.mail_deliveries as d using (delivery_id)
     where a.outcome = 'success' and 1 <> (select count(distinct queue_id) from faults.copies as c
                                            where c.queue_id = a.remote_id and c.message_id = d.message_id)
    """


def copies_are_explained() -> str:
    """I2: per recipient, successes ≤ copies ≤ successes + ambiguous attempts."""
    return f"""
    with {BOOKS} select delivery_id, address, copies, successes, doubts from books
     where copies < successes or copies > successes + doubts
    """


def tokens_have_leases() -> str:
    """I3: once nothing moves, nobody holds a token."""
    return f"select delivery_id, claimed_by from {SCHEMA}.mail_deliveries where claim_token is not null"


def only_resends_leave_an_end() -> str:
    """I5: a terminal status was left as often as a resend is on record, and ``sent`` never."""
    return f"""
    select e.delivery_id, e.left_status from faults.exits as e
     where e.left_status = 'sent'
        or not exists (select from {SCHEMA}.mail_resends as r
                        where r.delivery_id = e.delivery_id and r.after_attempt = e.claims)
    """


def copies_are_equal() -> str:
    """I7: all copies of a delivery have one Message-ID and the same octets."""
    return "select message_id from faults.copies group by message_id having count(distinct digest) > 1"


def nothing_comes_after_its_expiry() -> str:
    """I8: no copy came later than its expiry and the time that a fault may have held up its body."""
    return f"""
    select d.delivery_id, c.at from faults.copies as c join {SCHEMA}.mail_deliveries as d using (message_id)
     where c.at > d.expires_at + (select held from faults.slack)
    """


def copies_are_known() -> str:
    """I9: no copy has a Message-ID, or a recipient, that is in no table."""
    return f"""
    with {BOOKS} select c.queue_id, c.message_id, c.recipient from faults.copies as c
     where not exists (select from books where books.message_id = c.message_id and books.address = c.recipient)
    """


def tables_hold_no_secret() -> str:
    """P13: no row of any table ever held a secret, but for the column that is wiped in the end."""
    payloads = f"""
    select delivery_id::text from {SCHEMA}.mail_payloads where context::text ~ '{SECRET}'
    union all
    select 'nobody looks into ' || table_name from information_schema.tables
     where table_schema = '{SCHEMA}' and not table_name = any('{{mail_payloads,{",".join(WITHOUT_SECRETS)}}}')
    """
    rows = (
        f"select t::text from {SCHEMA}.{table} as t where t::text ~ '{SECRET}'" for table in WITHOUT_SECRETS
    )
    return " union all ".join((payloads, *rows))


INVARIANTS: tuple[Invariant, ...] = (
    orders_are_kept,
    rollbacks_leave_nothing,
    sent_means_a_copy,
    successes_join_the_ledger,
    copies_are_explained,
    tokens_have_leases,
    only_resends_leave_an_end,
    copies_are_equal,
    nothing_comes_after_its_expiry,
    copies_are_known,
    tables_hold_no_secret,
)

COUNTS = f"""
with {BOOKS}
select (select count(*) from {SCHEMA}.mail_deliveries) as rows,
       (select count(*) from {SCHEMA}.mail_attempts where ambiguous) as ambiguous,
       (select coalesce(sum(copies - 1), 0)::bigint from books where copies > 1) as extra_copies,
       (select coalesce(sum(copies - successes - doubts), 0)::bigint from books where copies > successes + doubts) as unexplained,
       (select count(*) from {SCHEMA}.mail_deliveries where claim_token is not null) as open_attempts,
       (select count(*) from {SCHEMA}.mail_deliveries
         where claim_token is not null and next_attempt_at > now()) as leased_when_idle
"""


@attrs.frozen
class Findings:
    """What was found: figures, and a line for each thing that breaks an invariant."""

    rows: int
    lost: int
    extra_copies: int
    ambiguous: int
    unexplained: int
    open_attempts: int
    leased_when_idle: int
    broken: tuple[str, ...] = attrs.field(default=())


async def check(session: Session, copies: Iterable[Seen], held: timedelta = timedelta(0)) -> Findings:
    """Compare the ledger with the tables. ``held`` is for how long a fault may have held up a body."""
    await _bring_in(session, copies, held)
    broken: dict[Invariant, list[str]] = {}
    for invariant in INVARIANTS:
        sentence = (invariant.__doc__ or "").strip()
        rows = await session.fetch(invariant())
        broken[invariant] = [f"{sentence} Broken by {list(row.values())}" for row in rows]
    audited = await session.fetch(
        Statements(SCHEMA)["audit"], MANY, OVERDUE_TAKEOVER, LONGEST_LEASE, LATE_COMMIT
    )
    told = [f"{each.invariant.means} Broken by {each.delivery_ids}" for each in breaches_from(audited)]
    counts = dict(await session.fetchrow(COUNTS) or {})
    counts["lost"] = len(broken[orders_are_kept]) + len(broken[sent_means_a_copy])
    counts["unexplained"] += len(broken[copies_are_known])
    return Findings(**counts, broken=(*(line for lines in broken.values() for line in lines), *told))


async def _bring_in(session: Session, copies: Iterable[Seen], held: timedelta) -> None:
    lines = [
        (copy.queue_id, copy.message_id, recipient, copy.digest, datetime.fromtimestamp(copy.at, UTC))
        for copy in copies
        for recipient in copy.recipients
    ]
    await session.execute("delete from faults.copies; delete from faults.slack")
    await session.execute("insert into faults.slack values ($1)", held)
    await session.copy_records_to_table("copies", schema_name="faults", records=lines)
    await session.execute("analyze faults.copies")
