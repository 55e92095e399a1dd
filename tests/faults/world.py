"""The world: PostgreSQL, a relay with TLS and a login, a proxy before each, workers, and a producer."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import attrs
import trustme

from galaxy_mail.adapters.embedded_postgres import EmbeddedPostgres
from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.app.opening import OpenMail
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.faults.database import MAILER, MAKE_ROLE, NOTE_EXITS, PASSWORD, PREPARE, SCHEMA, TELL, Admin
from tests.faults.invariants import Findings, check
from tests.faults.ledger import LeanLedger
from tests.faults.processes import Crew
from tests.faults.proxy import FaultProxy
from tests.faults.secrets import SECRET, SMTP_PASSWORD, SMTP_USER

TEMPLATES = Path(__file__).with_name("templates")
OFFERED = Offered(starttls=True, auth=("PLAIN",))
NOTE_ALL = "insert into faults.orders select *, 'committed' from unnest($1::text[], $2::uuid[])"
TERMINAL = f"""
select not exists (select from {SCHEMA}.mail_deliveries
                    where delivery_id = any($1) and status not in ('sent', 'dead_lettered'))
"""


@attrs.frozen(kw_only=True)
class Pace:
    """How fast the world turns: seconds, and numbers."""

    workers: int = 2
    lease: float = 1.0
    wait: float = 0.5  # for the relay and, threefold, for the database, before a worker gives up
    backoff_cap: float = 0.1
    batch_size: int = 10
    connections: int = 3
    abandoned_limit: int = 3


@attrs.frozen(kw_only=True)
class World:
    """What faults can be done to, and what tells what came of them."""

    folder: Path
    pace: Pace
    postgres: EmbeddedPostgres
    admin: Admin
    relay: ScriptedSmtpServer
    ledger: LeanLedger
    to_relay: FaultProxy
    to_database: FaultProxy
    crew: Crew
    mail: OpenMail
    tally: Counter[str] = attrs.field(factory=Counter)  # of what was done to it

    async def order(self, *names: str, template: str = "letter") -> list[UUID]:
        """Enqueue a mail for each name, and note that it is committed."""
        ids = [
            await self.mail.service.enqueue_template(
                template, to=f"{name}@example.org", context={"name": name}, idempotency_key=name
            )
            for name in names
        ]
        await self.admin.rows(NOTE_ALL, names, ids)
        return ids

    async def note(self, key: str, delivery_id: UUID | None, fate: str = "committed") -> None:
        """Write down what a producer was told about an order: it is ``committed``, ``rolled_back`` or ``unknown``."""
        await self.admin.rows("insert into faults.orders values ($1, $2, $3)", key, delivery_id, fate)

    async def ended(self, ids: Sequence[UUID]) -> None:
        """Return once all these are sent or dead letters."""
        await self.admin.until(TERMINAL, ids)

    async def status(self, delivery_id: UUID) -> str:
        """Of a delivery."""
        status = f"select status from {SCHEMA}.mail_deliveries where delivery_id = $1"
        return str(await self.admin.ask(status, delivery_id))

    async def quiet(self) -> None:
        """Return once nobody holds a claim."""
        await self.admin.until(f"select count(claim_token) = 0 from {SCHEMA}.mail_deliveries")

    async def findings(self, held: timedelta = timedelta(0)) -> Findings:
        """What the invariants say now."""
        session = await self.admin.session()
        try:
            return await check(session, self.ledger.seen, held)
        finally:
            session.terminate()

    def secrets_told(self) -> list[str]:
        """The lines of all that workers wrote, their notices among them, that hold a code, a body or a password."""
        written = (self.folder / "workers.log").read_text(errors="replace")
        return [line for line in written.splitlines() if re.search(SECRET, line)]

    async def heal(self) -> None:
        """Whatever was done by rules, proxies and the database's settings is over."""
        self.relay.rules.clear()
        self.relay.offered = OFFERED
        self.relay.release()
        self.relay.hang_again()
        await self.to_relay.heal()
        await self.to_database.heal()


@asynccontextmanager
async def open_world(folder: Path, pace: Pace) -> AsyncIterator[World]:
    """A world in ``folder``; nothing of it runs afterwards."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ledger = LeanLedger()
    relay = ScriptedSmtpServer(offered=OFFERED, tls=context)
    relay.ledger = ledger
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(_postgres(folder / "postgres"))
        admin = Admin(postgres)
        stack.push_async_callback(admin.close)
        await admin.execute(MAKE_ROLE + PREPARE)
        await stack.enter_async_context(relay)
        to_relay = await stack.enter_async_context(FaultProxy(relay.port))
        to_database = await stack.enter_async_context(FaultProxy(_port(postgres.dsn)))
        mail = await stack.enter_async_context(open_mail(_settings(_port(postgres.dsn), to_relay.port)))
        await mail.migrate()
        await admin.execute(NOTE_EXITS + TELL)
        environ = _environ(folder, pace, to_database.port, to_relay.port)
        crew = Crew(pace.workers, environ, folder, wait=pace.wait)
        world = World(
            folder=folder,
            pace=pace,
            postgres=postgres,
            admin=admin,
            relay=relay,
            ledger=ledger,
            to_relay=to_relay,
            to_database=to_database,
            crew=crew,
            mail=mail,
        )
        stack.push_async_callback(crew.close)
        stack.push_async_callback(world.heal)
        crew.start()
        yield world


@asynccontextmanager
async def _postgres(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    # With fsync, as in production: crashes are among the faults.
    server = EmbeddedPostgres(folder)
    try:
        await asyncio.to_thread(server.start)
        yield server
    finally:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(server.remove)


def _port(dsn: str) -> int:
    return int(dsn.rpartition(":")[2].partition("/")[0])


def _dsn(port: int) -> str:
    return f"postgresql://{MAILER}:{PASSWORD}@127.0.0.1:{port}/postgres?sslmode=disable"


def _settings(database: int, relay: int) -> MailSettings:
    """The producer's."""
    return MailSettings(
        dsn=_dsn(database),
        smtp_url=f"smtp://127.0.0.1:{relay}",
        sender="Galaxy <no-reply@example.org>",
        template_dirs=[TEMPLATES / "both", TEMPLATES / "producer"],
        connections=4,
        stop_grace=timedelta(seconds=1),
    )


def _environ(folder: Path, pace: Pace, database: int, relay: int) -> dict[str, str]:
    """The workers' settings."""
    given = {
        "dsn": _dsn(database),
        "smtp_url": f"smtp://{SMTP_USER}:{SMTP_PASSWORD}@127.0.0.1:{relay}",
        "smtp_ca_file": str(folder / "ca.pem"),
        "smtp_local_hostname": "worker.example.org",
        "sender": "Galaxy <no-reply@example.org>",
        "template_dirs": f"{TEMPLATES / 'both'},{TEMPLATES / 'worker'}",
        "log_notices": "true",
        "lease": f"{pace.lease}s",
        "poll_interval": "100ms",
        "batch_size": str(pace.batch_size),
        "connections": str(pace.connections),
        "abandoned_limit": str(pace.abandoned_limit),
        "max_attempts": "100",
        "backoff_base": "20ms",
        "backoff_cap": f"{pace.backoff_cap}s",
        "stop_grace": "1s",
    }
    return {f"GALAXY_MAIL_{name.upper()}": value for name, value in given.items()}
