"""The pool: a few warm connections to one relay, and the mails that wait for them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from galaxy_mail.adapters.smtp.connection import Connection
from galaxy_mail.adapters.smtp.envelopes import Offers
from galaxy_mail.adapters.smtp.faults import HandshakeFailed
from galaxy_mail.adapters.smtp.handshake import shake_hands
from galaxy_mail.adapters.smtp.jobs import Job
from galaxy_mail.adapters.smtp.relay import RelayConfig
from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdicts import Envelope, Fault, Receipt, Stage

_log = logging.getLogger("galaxy_mail.smtp")


class PooledSmtpSender:
    """The SmtpSender on SMTP.

    A mail takes the connection used last, else it waits, and the pool grows: by one connection while there is none, then
    at most twofold at a time, so that a relay that comes back is not stormed. When the first one cannot be made, all who
    wait for it learn why. When others work and one more is refused, the pool leaves it at those for a while. A mail rides
    behind another one on its connection only when no further connection may be made.

    Use it in one event loop. After ``aclose`` every mail is told that the connection is closed.
    """

    def __init__(self, config: RelayConfig) -> None:
        self._config = config
        self._limits = config.pool
        self._tls_context = config.build_tls_context()
        self._waiting: deque[Job] = deque()
        self._idle: list[Connection] = []  # the one used last is at the end
        self._open: set[Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._crowded_until = 0.0
        self._closing = False
        self._aborted = False
        self._all_done = asyncio.Event()

    def __repr__(self) -> str:
        relay = f"{self._config.host}:{self._config.port}"
        return f"<PooledSmtpSender {relay}, {len(self._open)} open, {len(self._waiting)} mails waiting>"

    # --- the port -------------------------------------------------------------------------------------------------

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """See ``SmtpSender.send``. Being cancelled ends the wait; a mail whose body has begun goes on."""
        assert envelope.recipients, "an envelope names somebody"
        receipt = asyncio.get_running_loop().create_future()
        job = Job(envelope, message, gate, receipt, self._config.verdicts)
        if self._closing:
            job.fail(Stage.CONNECT, Fault.CLOSED)
        else:
            self._waiting.append(job)
            self._serve()
        return await job.receipt

    async def aclose(self) -> None:
        """See ``SmtpSender.aclose``: mails that wait are sent, then every connection is left with QUIT."""
        self._closing = True
        for connection in self._idle:
            connection.retire()
        self._idle.clear()
        self._look_for_end()
        await self._all_done.wait()

    def abort(self) -> None:
        """Close everything at once. Mails under way learn that their connection was closed, those past the dot too."""
        self._closing = self._aborted = True
        for task in self._connecting:
            task.cancel()
        for connection in list(self._open):
            connection.abort()
        self._give_up(HandshakeFailed(Stage.CONNECT, Fault.CLOSED))

    # --- what connections ask (connection.Owner) ------------------------------------------------------------------

    def next_job(self, connection: Connection) -> Job | None:
        """The mail that waits longest; without one the connection joins the idle, or retires."""
        if connection.worn:
            connection.retire()
        elif job := self._take():
            return job
        elif self._closing:
            connection.retire()
        else:
            self._idle.append(connection)
        return None

    def next_rider(self) -> Job | None:
        """The mail that waits longest, unless a connection is made for it or may be."""
        if len(self._waiting) <= len(self._connecting) or self._may_grow():
            return None
        return self._take()

    def send_again(self, job: Job) -> None:
        """Put it first in the line, once."""
        job.again = True
        self._waiting.appendleft(job)
        self._serve()

    def lost(self, connection: Connection) -> None:
        """Make room for another one."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._serve()
        self._look_for_end()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _take(self) -> Job | None:
        self._drop_forsaken()
        return self._waiting.popleft() if self._waiting else None

    def _drop_forsaken(self) -> None:
        while self._waiting and self._waiting[0].forsaken:
            self._waiting.popleft()

    def _serve(self) -> None:
        """Wake idle connections for the mails that wait, and make new ones for the rest."""
        self._drop_forsaken()
        while self._waiting and self._idle:
            self._idle.pop().proceed()
        while len(self._waiting) > len(self._connecting) and self._may_grow():
            task = asyncio.get_running_loop().create_task(self._connect())
            self._connecting.add(task)

    def _may_grow(self) -> bool:
        if self._aborted:
            return False
        working, coming = len(self._open), len(self._connecting)
        if working + coming >= self._limits.connections or coming >= max(1, working):
            return False
        return not working or asyncio.get_running_loop().time() >= self._crowded_until

    async def _connect(self) -> None:
        try:
            transport, offers = await shake_hands(self._config, self._tls_context)
            self._take_over(transport, offers)
        except HandshakeFailed as failure:
            self._give_up(failure)
        except Exception:  # noqa: BLE001 - a bug of ours must not leave the callers waiting
            _log.exception("a connection could not be made")
            self._give_up(HandshakeFailed(Stage.CONNECT, Fault.INTERNAL))
        finally:
            task = asyncio.current_task()
            assert task
            self._connecting.discard(task)
            self._serve()
            self._look_for_end()

    def _take_over(self, transport: asyncio.Transport, offers: Offers) -> None:
        try:
            connection = Connection(transport, offers, self._config, self)
            self._open.add(connection)
            connection.proceed()
        except BaseException:
            transport.abort()
            raise

    def _give_up(self, failure: HandshakeFailed) -> None:
        _log.debug("no connection to the relay at %s: %s", failure.stage, failure.signal)
        if self._open and not self._closing:
            loop = asyncio.get_running_loop()
            self._crowded_until = loop.time() + self._limits.pause
            # The open ones may be stuck, and nobody else may ask.
            loop.call_at(self._crowded_until, self._serve)
            return
        for job in self._waiting:
            job.fail(failure.stage, failure.signal)
        self._waiting.clear()

    def _look_for_end(self) -> None:
        self._drop_forsaken()
        if self._closing and not (self._open or self._connecting or self._waiting):
            self._all_done.set()
