"""The wire under a session: an asyncio protocol that takes over the live transport once the handshake is done.

There is no task: a transaction runs in the callbacks of its connection, so nobody can cancel it. Whoever waits for a
receipt may leave; past the gate the mail goes on all the same, before it the body is withheld.

One timer serves all waits. It is moved only when it would ring too late; when it rings too early, it is set anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from galaxy_mail.adapters.smtp.envelopes import Offers, transparent
from galaxy_mail.adapters.smtp.jobs import Job
from galaxy_mail.adapters.smtp.relay import RelayConfig
from galaxy_mail.adapters.smtp.session import Session
from galaxy_mail.adapters.smtp.transaction import Event, Finished, Transaction
from galaxy_mail.domain.verdicts import Fault, Stage


class Owner(Protocol):
    """Who gives a connection its work: the pool."""

    def next_job(self, connection: Connection) -> Job | None:
        """The mail that this usable connection shall send next; after None it waits, or was made to retire."""
        ...

    def next_rider(self) -> Job | None:
        """A mail that may ride behind the one whose dot is leaving."""
        ...

    def send_again(self, job: Job) -> None:
        """Give a mail of which the server has seen nothing to another connection."""
        ...

    def lost(self, connection: Connection) -> None:
        """The connection is closed."""
        ...


class Connection(asyncio.Protocol):
    """One open connection after EHLO and, where asked for, TLS and AUTH."""

    def __init__(
        self, transport: asyncio.Transport, offers: Offers, config: RelayConfig, owner: Owner
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._offers = offers
        self._patience = config.patience
        self._limits = config.pool
        self._owner = owner
        self._session = Session(pipelining=offers.pipelining)
        self._jobs: deque[Job] = deque()  # in the order of the session's transactions
        self._begun = 0  # mails given to the server
        self._retire_at = self._loop.time() + config.pool.age
        self._retiring = False
        self._paused = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        transport.set_write_buffer_limits(high=1, low=0)  # paused until the kernel has taken every block
        transport.set_protocol(self)

    @property
    def worn(self) -> bool:
        """Whether it has carried as many mails, or lived as long, as it may; one mail it may always carry."""
        if self._begun == 0:
            return False
        return self._begun >= self._limits.mails or self._loop.time() >= self._retire_at

    @property
    def usable(self) -> bool:
        """Whether it waits for a mail to send."""
        return self._session.idle and not self._retiring and not self._transport.is_closing()

    # --- work -----------------------------------------------------------------------------------------------------

    def proceed(self) -> None:
        """Being usable, begin the next mail; without one, wait."""
        while self.usable and (job := self._owner.next_job(self)):
            if self._begin(job):
                self._write(self._session.take_outgoing())
                self._wait(self._patience.command)
        if self.usable:
            self._wait(self._limits.idle)

    def retire(self) -> None:
        """Being idle, say QUIT and close when it is answered or not."""
        if not self._retiring:
            self._retiring = True
            self._write(b"QUIT\r\n")
            self._wait(self._patience.quit)

    def abort(self) -> None:
        """Close now, whatever is under way."""
        self._fail(Fault.CLOSED)

    def _begin(self, job: Job) -> bool:
        lines = job.commands(self._offers)
        if isinstance(lines, Fault):
            job.fail(Stage.LOCAL, lines)
            return False
        self._session.begin(lines)
        job.ordinal = self._begun
        self._begun += 1
        self._jobs.append(job)
        return True

    # --- what the transport tells -----------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """The server has spoken."""
        if self._retiring:
            self._transport.abort()
        elif self._session.open:
            heard = self._session.heard
            self._handle(self._session.receive(data))
            if self._session.heard > heard:
                self._wait_for_reply()

    def eof_received(self) -> None:
        """The server will say no more."""
        self._fail(Fault.CLOSED)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, by whomever."""
        if self._timer:
            self._timer.cancel()
        self._fail(Fault.CLOSED)
        self._owner.lost(self)

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self._paused = True

    def resume_writing(self) -> None:
        """The kernel has taken everything."""
        self._paused = False
        self._write_body()
        self._wait_for_reply()

    # --- what the session tells ---------------------------------------------------------------------------------------

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Finished):
                self._finish(event.transaction)
            else:
                self._open_body(event.transaction)
        session = self._session
        if not session.open:
            self._transport.abort()  # never QUIT, never again: whatever it says now is not about us
        elif session.idle:
            self.proceed()
        else:
            self._write(session.take_outgoing())
            self._write_body()

    def _fail(self, fault: Fault) -> None:
        self._handle(self._session.fail(fault))

    def _finish(self, transaction: Transaction) -> None:
        job = self._jobs.popleft()
        if job.may_go_again(transaction):
            self._owner.send_again(job)
        else:
            job.finish(transaction)

    def _open_body(self, transaction: Transaction) -> None:
        job = self._jobs[0]
        if fault := job.ask_gate():
            self._handle(self._session.fail(fault, Stage.LOCAL))
        else:
            self._session.open_body(transaction, transparent(job.message))

    def _write_body(self) -> None:
        session = self._session
        while session.body_ready and not self._paused and not self._transport.is_closing():
            block = session.next_block()
            if session.may_ride and not self.worn and (rider := self._owner.next_rider()):
                self._begin(rider)
                block = b"".join((block, session.take_outgoing()))
            self._write(block)

    def _write(self, octets: bytes | memoryview) -> None:
        if octets:
            self._transport.write(octets)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _wait_for_reply(self) -> None:
        stage = self._session.stage
        if stage is Stage.DOT:
            self._wait(self._patience.dot)
        elif stage is Stage.BODY:
            self._wait(self._patience.block)
        elif stage:
            self._wait(self._patience.command)

    def _wait(self, seconds: float) -> None:
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._loop.time() < self._deadline:
            self._set_timer()
        elif self._retiring:
            self._transport.abort()
        elif self._session.idle:
            self.retire()
        else:
            self._fail(Fault.TIMEOUT)
