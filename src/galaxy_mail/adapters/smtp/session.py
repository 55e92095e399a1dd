"""SMTP after the handshake, as a conversation without a wire: octets in, events out (RFC 5321, pipelined by RFC 2920).

Theory of operation
-------------------

A session speaks for one connection. Whoever owns the connection (``connection``; in tests, a loop over bytes)

* calls :meth:`Session.begin` with a mail's commands,
* gives to :meth:`Session.receive` whatever the server sends, in pieces of any size,
* writes out whatever :meth:`Session.take_outgoing` returns, after each call,
* on ``BodyWanted`` calls :meth:`Session.open_body`, then :meth:`Session.next_block` while ``body_ready``,
* on ``Finished`` reads what became of each recipient from ``transaction.signals``,
* calls :meth:`Session.fail` when the connection ends, a wait is over, or the body must not go.

It never waits, knows no clock and judges nothing: a signal (a reply, or a fault) and the stage at which it came is all it
says, and ``verdict_table`` says what that means.

A reply belongs to a command by construction. Each command that is said is put at the end of ``_asked``; each reply takes the
first one off. A reply that meets an empty queue, or a command that has not been written yet, was not asked for, and one that
its command cannot have is not its own: either way the conversation is out of step, and it ends.

    command    goes on         is refused    out of step
    MAIL       250             4xx, 5xx      any other
    RCPT       250, 251, 252   4xx, 5xx      any other, or accepted where MAIL was refused
    DATA       354             4xx, 5xx      any other
    the dot    2xx             4xx, 5xx      any other
    lone dot   2xx             4xx, 5xx      any other
    RSET       2xx             –             any other

Pipelining writes MAIL, RCPT … and DATA at once. If one reply too many sneaks in among theirs, a refusal is read as another
command's. So none is believed without a proof that all of them were read in their places: before the body, a 354 in its own;
after a refused DATA, the 2xx to an RSET (which the server needs anyway, having an open transaction). Who falls out of step
before the proof has learnt nothing: all its recipients get ``GARBAGE``, or ``TIMEOUT`` where the server falls silent, since
a reply may have been left out.

The next mail may ride: once the last block of a body is handed out, and with it the dot, MAIL, RCPT … and DATA of the next
one may follow in the same write (a message's content may begin a group of commands, RFC 2920 section 3.1). So ``_line``
holds one mail, or two.

A 421 answers every command, since it closes the connection (RFC 5321 section 3.8). An error while the body goes out answers
the mail. When the server closes, whatever was complete is kept, and each open recipient gets the stage it stood at:

    MAIL → RCPT → DATA → BODY → DOT

``BODY`` until the last block is handed out; from then on the dot may have left, and the stage is ``DOT``.

What no client can see: a server that leaves out the reply to a dot and answers the MAIL behind it has that reply taken for
the dot's. The conversation is found out of step by the next 354 at the latest.
"""

from __future__ import annotations

from collections import deque

from galaxy_mail.adapters.smtp.replies import GarbageReply, Reply, ReplyReader
from galaxy_mail.adapters.smtp.transaction import (
    CLOSING,
    Asked,
    BodyWanted,
    Command,
    Event,
    Finished,
    Transaction,
)
from galaxy_mail.domain.verdicts import Fault, Signal, Stage

BLOCK_OCTETS = 64 * 1024


class Session:
    """One connection's conversation; see the module's text. Ends with the first thing that is not clean."""

    def __init__(self, *, pipelining: bool) -> None:
        self.open = True
        self.heard = 0  # replies so far: what shows progress, since octets alone do not
        self._pipelining = pipelining
        self._reader = ReplyReader()
        self._asked: deque[Asked] = deque()  # said, and not answered
        self._unsaid: deque[Asked] = deque()  # without pipelining
        self._line: deque[Transaction] = deque()
        self._outgoing: list[bytes] = []
        self._events: list[Event] = []
        self._body: memoryview | bytes = b""  # what of it has not been handed out

    # --- what the owner may ask -----------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether a mail may begin, and no other is under way."""
        return self.open and not self._line

    @property
    def body_ready(self) -> bool:
        """Whether ``next_block`` has more to give. It has not while the server is in the middle of saying something."""
        return len(self._body) > 0 and not self._reader.partial

    @property
    def may_ride(self) -> bool:
        """Whether a mail may begin behind the one under way, whose dot is handed out."""
        return self.open and self._pipelining and len(self._line) == 1 and self._line[0].stage is Stage.DOT

    @property
    def stage(self) -> Stage | None:
        """Where the mail under way stands; None while idle."""
        return self._line[0].stage if self._line else None

    # --- what the owner does --------------------------------------------------------------------------------------

    def begin(self, lines: list[bytes]) -> Transaction:
        """Start a mail with its commands: MAIL, a RCPT for each recipient, DATA; each with its CRLF."""
        assert self.idle or self.may_ride
        transaction = Transaction(len(lines) - 2)
        asked = [(transaction, Command.RCPT, index - 1, line) for index, line in enumerate(lines)]
        asked[0], asked[-1] = (
            (transaction, Command.MAIL, 0, lines[0]),
            (transaction, Command.DATA, 0, lines[-1]),
        )
        self._line.append(transaction)
        if self._pipelining:
            self._asked += asked
            self._outgoing += lines
        else:
            self._unsaid += asked
            self._say(*self._unsaid.popleft())
        return transaction

    def take_outgoing(self) -> bytes:
        """What is to be written now, besides blocks of a body."""
        octets = b"".join(self._outgoing)
        self._outgoing.clear()
        return octets

    def open_body(self, transaction: Transaction, octets: bytes) -> None:
        """Begin the body: ``octets`` are dot-stuffed and end with the dot."""
        assert transaction is self._line[0]
        transaction.stage = Stage.BODY
        self._body = octets if len(octets) <= BLOCK_OCTETS else memoryview(octets)

    def next_block(self) -> bytes | memoryview:
        """The next octets of the body. With the last ones handed out, the dot may have left."""
        block, self._body = self._body[:BLOCK_OCTETS], self._body[BLOCK_OCTETS:]
        if not self._body:
            transaction = self._line[0]
            transaction.stage = Stage.DOT
            self._asked.append((transaction, Command.DOT, 0, b""))
        return block

    def receive(self, octets: bytes) -> list[Event]:
        """Read what the server sent. A ``BodyWanted`` is the last event."""
        self._reader.feed(octets)
        try:
            while self.open and (reply := self._reader.next_reply()):
                self._read(reply)
            if self.open and self._reader.partial and not self._answerable and not self._body:
                raise GarbageReply
        except GarbageReply:
            self._end(Fault.GARBAGE)
        return self._take_events()

    def fail(self, signal: Signal, stage: Stage | None = None) -> list[Event]:
        """End the conversation: the first mail under way learns ``signal``, at ``stage`` or where it stands."""
        self._end(signal, stage)
        return self._take_events()

    # --- inside ---------------------------------------------------------------------------------------------------

    @property
    def _answerable(self) -> bool:
        """Whether some command is written and not answered. What is not written yet was said last, behind nothing else."""
        return bool(self._asked) and not self._outgoing

    def _say(self, transaction: Transaction, command: Command, index: int, line: bytes) -> None:
        self._asked.append((transaction, command, index, line))
        self._outgoing.append(line)

    def _read(self, reply: Reply) -> None:
        self.heard += 1
        if not self._answerable:
            self._read_unasked(reply)
            return
        transaction, command, index, _ = self._asked.popleft()
        if reply.code == CLOSING:
            self._end(reply.signal)
        elif reply.code < 400 and reply.code not in command.goes_on:
            raise GarbageReply
        elif command is Command.RCPT:
            self._read_rcpt(transaction, index, reply)
        elif command is Command.MAIL:
            self._read_mail(transaction, reply)
        elif command is Command.DATA:
            self._read_data(transaction, reply)
        elif command is Command.RSET:
            self._read_reset(transaction, reply)
        else:
            self._read_dot(transaction, reply)

    def _read_unasked(self, reply: Reply) -> None:
        if not self._body or reply.code < 400:
            raise GarbageReply
        self._end(reply.signal)

    def _read_mail(self, transaction: Transaction, reply: Reply) -> None:
        if reply.code >= 400:
            transaction.decide(Stage.MAIL, reply.signal)
        transaction.stage = Stage.RCPT
        self._step(transaction)

    def _read_rcpt(self, transaction: Transaction, index: int, reply: Reply) -> None:
        known = transaction.signals[index]
        if reply.code >= 400:
            transaction.signals[index] = known or (Stage.RCPT, reply.signal)
        elif known:
            raise GarbageReply
        if index == transaction.recipients - 1:
            transaction.stage = Stage.DATA
        self._step(transaction)

    def _step(self, transaction: Transaction) -> None:
        """Where commands are said one by one: say the next, or leave off if nobody can be accepted any more."""
        if self._pipelining:
            return
        if transaction.decided:
            self._unsaid.clear()
            self._say(transaction, Command.RSET, 0, b"RSET\r\n")
        else:
            self._say(*self._unsaid.popleft())

    def _read_data(self, transaction: Transaction, reply: Reply) -> None:
        if reply.code >= 400:
            transaction.decide(Stage.DATA, reply.signal)
            self._say(transaction, Command.RSET, 0, b"RSET\r\n")
            return
        transaction.in_step = True
        if transaction.decided:
            self._say(transaction, Command.LONE_DOT, 0, b".\r\n")
        else:
            self._events.append(BodyWanted(transaction))

    def _read_dot(self, transaction: Transaction, reply: Reply) -> None:
        transaction.decide(Stage.DOT, reply.signal)
        self._finish(transaction)

    def _read_reset(self, transaction: Transaction, reply: Reply) -> None:
        if reply.code >= 400:
            raise GarbageReply
        self._finish(transaction)

    def _finish(self, transaction: Transaction) -> None:
        assert transaction is self._line[0]
        self._line.popleft()
        self._events.append(Finished(transaction))

    def _end(self, signal: Signal, stage: Stage | None = None) -> None:
        self.open = False
        self._asked.clear()
        self._outgoing.clear()
        self._body = b""
        self._events = [event for event in self._events if isinstance(event, Finished)]
        while self._line:
            transaction = self._line[0]
            if signal in (Fault.GARBAGE, Fault.TIMEOUT) and not transaction.in_step:
                transaction.signals = [None] * transaction.recipients
            transaction.decide(stage or transaction.stage, signal)
            self._finish(transaction)
            signal, stage = Fault.CLOSED, None  # whoever comes behind meets a closed connection

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events
