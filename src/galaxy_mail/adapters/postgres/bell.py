"""The Bell on PostgreSQL: LISTEN on one connection of the pool, NOTIFY by the enqueue statement while the bell is armed.

The same session holds an advisory lock, its worker's sign of life: the server lets it go when the session ends.

Where LISTEN cannot work (a pooler in transaction mode gives each statement another session) a test ring at the start does
not come back, and ``rings`` says so; then there is no sign either. A session that is lost is replaced when the bell is armed
or the sign is kept next, and takes the same sign again.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from galaxy_mail.adapters.postgres.border import border
from galaxy_mail.adapters.postgres.pools import Pool
from galaxy_mail.adapters.postgres.statements import Statements, checked
from galaxy_mail.domain.errors import GalaxyMailError, StoreUnavailable
from galaxy_mail.domain.leases import Sign

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Listener = PoolConnectionProxy[asyncpg.Record]

TEST_RING = "test"
TEST_SECONDS = 2.0  # how long the test ring may take
ANSWER_SECONDS = 2.0  # how long a session may be silent that is asked whether it is there
LISTEN_SECONDS = 10.0  # how long everything else may take, a free connection of the pool included
DEAF_SECONDS = 300.0  # how long not to try again after a test ring that did not come back, or a sign that another session has

_log = logging.getLogger("galaxy_mail.postgres")


class PostgresBell:
    """Holds one connection of the pool from the first ``arm`` or ``keep_sign`` to ``aclose``."""

    def __init__(self, pool: Pool, schema: str) -> None:
        self._pool = pool
        self._channel = checked(schema)
        self._sql = Statements(schema)
        self._listener: Listener | None = None
        self._using = asyncio.Lock()  # a session does one thing at a time
        self._own: Sign | None = None  # once it was drawn
        self._trouble_told = False
        self._deaf_until = 0.0  # by the event loop's clock
        self._ring = asyncio.Event()
        self._test = asyncio.Event()

    @property
    def rings(self) -> bool:
        """Whether a listener is connected and hears."""
        return self._listener is not None

    @property
    def sign(self) -> Sign | None:
        """See ``Bell.sign``."""
        return None if self._listener is None else self._own

    async def arm(self, lasting: timedelta) -> None:
        """See ``Bell.arm``."""
        try:
            with border("arm"):
                async with asyncio.timeout(LISTEN_SECONDS), self._using:
                    if listener := self._listener or await self._listen():
                        await listener.execute(self._sql["arm_bell"], lasting)
        except GalaxyMailError as error:
            _log.warning("the bell cannot be armed, new mail is found by looking: %s", error)

    async def keep_sign(self) -> Sign | None:
        """See ``Bell.keep_sign``."""
        try:
            with border("keep the sign of life"):
                async with asyncio.timeout(LISTEN_SECONDS), self._using:
                    if listener := self._listener:
                        await self._ask(listener)
                    else:
                        await self._listen()
        except GalaxyMailError as error:
            if not self._trouble_told:
                _log.warning("no sign of life, a death would be noticed by leases alone: %s", error)
            self._trouble_told = True
        else:
            self._trouble_told = False
        return self.sign

    async def rung(self) -> None:
        """See ``Bell.rung``."""
        await self._ring.wait()
        self._ring.clear()

    async def aclose(self) -> None:
        """See ``Bell.aclose``."""
        async with self._using:
            listener, self._listener = self._listener, None
            if listener is not None:
                await self._give_back(listener)
            self._ring.clear()

    async def _ask(self, listener: Listener) -> None:
        """Hear from the session, or do without it: a line that a router has forgotten looks open for hours."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                holds = await listener.fetchval(self._sql["keep_sign"], self._own)
            if not holds:
                self._deaf_until = asyncio.get_running_loop().time() + DEAF_SECONDS
                raise StoreUnavailable(
                    "keep the sign of life", None, "not the session that took it: a pooler?"
                )
        except BaseException:
            self._listener = None
            with suppress(GalaxyMailError), border("terminate"):  # it may be gone already
                listener.remove_termination_listener(self._lost)
                listener.terminate()
            raise

    async def _listen(self) -> Listener | None:
        if asyncio.get_running_loop().time() < self._deaf_until:
            return None
        listener = await self._pool.acquire()
        try:
            listener.add_termination_listener(self._lost)
            if self._own is not None:  # at once: others look for it already
                await self._take_sign(listener)
            await listener.add_listener(self._channel, self._heard)
            hears = await self._hears()
            if hears and self._own is None:
                await self._take_sign(listener)
        except BaseException:
            await self._give_back(listener)
            raise
        if hears:
            self._listener = listener
            return listener
        self._deaf_until = asyncio.get_running_loop().time() + DEAF_SECONDS
        _log.warning("no ring is heard here (a pooler, or no free connection): new mail is found by looking")
        await self._give_back(listener)
        return None

    async def _take_sign(self, listener: Listener) -> None:
        self._own = await listener.fetchval(self._sql["take_sign"], self._own)

    async def _hears(self) -> bool:
        """Whether a ring from another connection arrives: one from its own would, even through a pooler."""
        self._test.clear()
        try:
            async with asyncio.timeout(TEST_SECONDS):
                await self._pool.execute("select pg_notify($1, $2)", self._channel, TEST_RING)
                await self._test.wait()
        except TimeoutError:
            return False
        return True

    async def _give_back(self, listener: Listener) -> None:
        """The pool closes what cannot be given back as it was found; that is nobody's trouble."""
        try:
            with suppress(GalaxyMailError), border("unlisten"):
                if not listener.is_closed():
                    listener.remove_termination_listener(self._lost)
                    await listener.remove_listener(self._channel, self._heard)
                    if self._own is not None:
                        await listener.execute("select pg_advisory_unlock_shared($1)", self._own)
        finally:
            with suppress(GalaxyMailError), border("release"):
                await self._pool.release(listener)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._test.set() if payload == TEST_RING else self._ring.set()

    def _lost(self, _connection: object) -> None:
        self._listener = None
        self._ring.set()  # look, and arm anew
