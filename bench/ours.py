"""galaxy_mail as a contestant: a database full of due mails, a worker as a real process, and what the tables say then."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from galaxy_mail.app.opening import OpenMail, open_mail
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.domain.mail import Lane

TEMPLATES = Path(__file__).parent / "templates"
SENDER = "Galaxy <no-reply@bench.example>"
Pool = asyncpg.Pool
CONNECTIONS, BATCH = 20, 200
CHUNK = 100_000
TIMEOUT = 600.0

# Ids in the order of time, as real ones are. Foreign keys are not looked up: the rows are right by construction.
IDS = """
create temporary table these on commit drop as
select (lpad(to_hex($1::bigint + g), 16, '0') || left(md5(g::text), 16))::uuid as id, g, $3::smallint as lane, $4::boolean as sent
  from generate_series(1, $2::int) as g
"""
DELIVERIES = """
insert into galaxy_mail.mail_deliveries (delivery_id, lane, template, message_id, next_attempt_at, created_at, queued_at,
                                         dated_at, status, finished_at, claims, attempts, claimed_by)
select id, lane, 'bench', id || '@bench.example', now(), now(), now(), now(), case when sent then 'sent' else 'pending' end,
       case when sent then now() end, sent::int, sent::int, case when sent then 'bench' end
  from these
"""
PAYLOADS = """
insert into galaxy_mail.mail_payloads (delivery_id, sender_address, sender_name, context, content_digest)
select id, 'no-reply@bench.example', 'Galaxy', json_build_object('name', 'Ada', 'code', lpad(g::text, 6, '0'), 'ttl', 5),
       sha256(g::text::bytea)
  from these
"""
RECIPIENTS = """
insert into galaxy_mail.mail_recipients (delivery_id, position, kind, address, name, state)
select id, 0, 'to', 'ada@example.com', 'Ada Lovelace', case when sent then 'accepted' else 'open' end from these
"""
ATTEMPTS = """
insert into galaxy_mail.mail_attempts (delivery_id, attempt_no, started_at, finished_at, outcome, stage, blame, burned,
                                       ambiguous, code, detail, worker, template_version)
select id, 1, now(), now(), 'success', 'dot', 'nobody', true, false, 250, '250 2.0.0 ok', 'bench', '' from these where sent
"""
TALLY = """
insert into galaxy_mail.mail_tally as t (counted_by, status, number) values ('bench', 'sent', $1)
on conflict (counted_by, status) do update set number = t.number + excluded.number
"""


def worker(dsn: str, port: int, *flags: str, loop: str = "uvloop", **settings: object) -> list[str]:
    """The command of a worker process: galaxy-mail's own command line on the given event loop."""
    chosen = {"connections": CONNECTIONS, "batch_size": BATCH, **settings}
    pairs = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    places = ["--dsn", dsn, "--smtp-url", f"smtp://127.0.0.1:{port}", "--sender", SENDER]
    command = [sys.executable, "-m", "bench.worker", loop, "worker", *flags, *places]
    return [*command, "--template-dir", str(TEMPLATES), *pairs]


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[OpenMail]:
    """galaxy_mail in this process, as a producer has it."""
    settings = MailSettings(dsn=dsn, smtp_url="smtp://127.0.0.1:9", sender=SENDER, template_dirs=[TEMPLATES])
    async with open_mail(settings) as mail:
        yield mail


async def migrate(dsn: str) -> None:
    """The tables, without rows."""
    async with opened(dsn) as mail:
        await mail.migrate()


async def fill(
    dsn: str, number: int, *, lane: Lane = Lane.NORMAL, sent: bool = False, narrow: bool = False
) -> None:
    """Put ``number`` mails into the tables: due now, or sent already.

    ``narrow`` leaves out all but the deliveries, where only they are looked at.
    """
    statements = (DELIVERIES,) if narrow else (DELIVERIES, PAYLOADS, RECIPIENTS, ATTEMPTS)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("set session_replication_role = replica")
        for done in range(0, number, CHUNK):
            some = min(CHUNK, number - done)
            async with connection.transaction():
                await connection.execute(IDS, time.time_ns() // 1000, some, lane, sent, timeout=TIMEOUT)
                for statement in statements:
                    await connection.execute(statement, timeout=TIMEOUT)
                if sent:
                    await connection.execute(TALLY, some)
    finally:
        await connection.close()


async def grievances(dsn: str, expected: int, beside: int = 0) -> list[str]:
    """Why it is not true that ``expected`` mails are sent and each has one attempt, a success.

    ``beside`` is how many rows were sent before, by nobody.
    """
    connection = await asyncpg.connect(dsn)
    try:
        sent = await connection.fetchval(
            "select count(*) from galaxy_mail.mail_deliveries where status = 'sent'"
        )
        attempts = await connection.fetchval(
            "select count(*) from galaxy_mail.mail_attempts where outcome = 'success' and worker <> 'bench'"
        )
        others = await connection.fetchval(
            "select count(*) from galaxy_mail.mail_attempts where outcome <> 'success'"
        )
    finally:
        await connection.close()
    found = [
        (sent - beside, "are sent"),
        (attempts, "have an attempt row"),
        (expected - others, "have no failure"),
    ]
    return [f"{number} of {expected} mails {what}" for number, what in found if number != expected]


def raise_if(found: Sequence[str]) -> None:
    """A fast wrong run is a failure."""
    if found:
        raise WrongRun("; ".join(found))


class WrongRun(Exception):
    """It was fast, perhaps; it was wrong."""
