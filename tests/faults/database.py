"""The administrator's session beside the workers': questions, events, and the tables in which the invariants find their evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from galaxy_mail.adapters.embedded_postgres import EmbeddedPostgres

PATIENCE = 50.0  # seconds until a wait for an event is a failure
MAILER, PASSWORD = "mailer", "hunter2-of-the-database"
SCHEMA = "galaxy_mail"
# Whatever happens to other sessions by a setting of the server, this one goes on.
EXEMPT = {"statement_timeout": "0", "lock_timeout": "0", "default_transaction_read_only": "off"}

if TYPE_CHECKING:
    Session: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Session = asyncpg.Connection

MAKE_ROLE = f"""
create role {MAILER} login password '{PASSWORD}';
grant create on database postgres to {MAILER};
"""
PREPARE = """
create schema faults;
create table faults.orders (key text primary key, delivery_id uuid, fate text not null);
create unlogged table faults.copies (queue_id text, message_id text, recipient text, digest bytea, at timestamptz);
create index on faults.copies (message_id);
create unlogged table faults.slack (held interval);  -- for how long a fault may have held up a body
create table faults.exits (delivery_id uuid, left_status text, claims integer);
create function faults.note_exit() returns trigger language plpgsql security definer as $$
begin
    insert into faults.exits values (old.delivery_id, old.status, old.claims);
    return null;
end $$;
create function faults.tell() returns trigger language plpgsql as $$
begin
    notify faults;
    return null;
end $$;
"""
# Who leaves a terminal status is noted by the server itself.
NOTE_EXITS = f"""
create trigger note_exit after update of status on {SCHEMA}.mail_deliveries for each row
  when (old.status in ('sent', 'dead_lettered') and new.status <> old.status) execute function faults.note_exit();
"""
TELL = f"""
create trigger tell after update on {SCHEMA}.mail_deliveries for each statement execute function faults.tell();
"""


class Admin:
    """A superuser's session, straight to the server. It comes back by itself after a crash."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._dsn = postgres.dsn  # it stays the same over crashes
        self._connection: Session | None = None
        self._busy = asyncio.Lock()
        self._changed = asyncio.Event()

    async def ask(self, question: str, *values: object) -> Any:
        """The first value of the answer; the question is asked again where the server went away meanwhile."""
        rows = await self.rows(question, *values)
        return rows[0][0] if rows else None

    async def rows(self, question: str, *values: object) -> Sequence[asyncpg.Record]:
        """All rows of the answer."""
        async with asyncio.timeout(PATIENCE), self._busy:
            while True:
                try:
                    return await (await self._connected()).fetch(question, *values)
                except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                    await asyncio.sleep(0)
                except asyncpg.PostgresError as error:
                    if (error.sqlstate or "")[:2] not in ("57", "08"):
                        raise
                    await asyncio.sleep(0)

    async def execute(self, script: str) -> None:
        """Run statements, in one transaction."""
        async with self._busy:
            await (await self._connected()).execute(script)

    async def reload(self) -> None:
        """Let the server read its settings again; return once it has, and has told all sessions that there are."""
        asked = await self.ask("select clock_timestamp()")
        await self.rows("select pg_reload_conf()")
        loaded = asked - timedelta(days=1)
        async with asyncio.timeout(PATIENCE):
            while loaded < asked:
                async with (
                    self._busy
                ):  # the postmaster gives a new session the time, having told all others before
                    await self.close()
                loaded = await self.ask("select pg_conf_load_time()")

    async def until(self, question: str, *values: object) -> None:
        """Return once the answer is true. It is asked again whenever a delivery has changed."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._changed.clear()
                if await self.ask(question, *values):
                    return
                await self._changed.wait()

    async def poll(self, question: str, *values: object) -> None:
        """Return once the answer is true, of what no event tells."""
        async with asyncio.timeout(PATIENCE):
            while not await self.ask(question, *values):
                pass

    async def session(self) -> Session:
        """A session of its own, for who holds a lock."""
        return await asyncpg.connect(self._dsn, server_settings=EXEMPT)

    async def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.terminate()

    async def _connected(self) -> Session:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self.session()
            self._connection.add_termination_listener(self._wake)
            await self._connection.add_listener("faults", self._wake)
        return self._connection

    def _wake(self, *_: object) -> None:
        self._changed.set()
