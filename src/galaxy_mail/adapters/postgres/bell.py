"""The Bell on PostgreSQL: LISTEN on one connection of the pool, NOTIFY by the enqueue statement while the bell is armed.

Where LISTEN cannot work (a pooler in transaction mode gives each statement another session) a test ring at the start does
not come back, and ``rings`` says so. A listener that is lost is replaced when the bell is armed next.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from galaxy_mail.adapters.postgres.border import border
from galaxy_mail.adapters.postgres.statements import Statements, checked
from galaxy_mail.domain.errors import GalaxyMailError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from galaxy_mail.adapters.postgres.store import Pool

    Listener = PoolConnectionProxy[asyncpg.Record]

ARMED = timedelta(
    minutes=1
)  # renewed at half of it; a worker that dies leaves producers ringing for no longer
TEST_RING = "test"
TEST_SECONDS = 1.0

_log = logging.getLogger("galaxy_mail.postgres")


class PostgresBell:
    """Holds one connection of the pool from the first ``arm`` to ``aclose``."""

    def __init__(self, pool: Pool, schema: str) -> None:
        self._pool = pool
        self._channel = checked(schema)
        self._arm = Statements(schema)["arm_bell"]
        self._listener: Listener | None = None
        self._deaf = False  # a test ring did not come back: there is no use in listening here
        self._ring = asyncio.Event()
        self._test = asyncio.Event()

    @property
    def rings(self) -> bool:
        """Whether a listener is connected and hears."""
        return self._listener is not None

    async def arm(self) -> None:
        """See ``Bell.arm``."""
        try:
            with border("arm"):
                if self._listener is None and not self._deaf:
                    await self._listen()
                if self._listener is not None:
                    await self._pool.execute(self._arm, ARMED)
        except GalaxyMailError as error:
            _log.warning("the bell cannot be armed, new mail is found by looking: %s", error)

    async def rung(self) -> None:
        """See ``Bell.rung``."""
        await self._ring.wait()
        self._ring.clear()

    async def aclose(self) -> None:
        """See ``Bell.aclose``."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await self._give_back(listener)
        self._ring.clear()

    async def _listen(self) -> None:
        listener = await self._pool.acquire()
        try:
            listener.add_termination_listener(self._lost)
            await listener.add_listener(self._channel, self._heard)
            await self._pool.execute("select pg_notify($1, $2)", self._channel, TEST_RING)
            async with asyncio.timeout(TEST_SECONDS):
                await self._test.wait()
        except TimeoutError:
            self._deaf = True
            _log.warning("LISTEN does not work through this connection: new mail is found by looking")
            await self._give_back(listener)
        except BaseException:
            await self._give_back(listener)
            raise
        else:
            self._listener = listener

    async def _give_back(self, listener: Listener) -> None:
        try:
            if not listener.is_closed():
                listener.remove_termination_listener(self._lost)
                await listener.remove_listener(self._channel, self._heard)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            _log.debug("the listener was gone before it could be given back")
        finally:
            await self._pool.release(listener)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._test.set() if payload == TEST_RING else self._ring.set()

    def _lost(self, _connection: object) -> None:
        self._listener = None
        self._ring.set()  # look, and arm anew
