"""A connection on a transport and a clock that are the test's own: what is written when, and how long it waits."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from galaxy_mail.adapters.smtp import Patience, RelayConfig, TlsMode
from galaxy_mail.adapters.smtp.connection import Connection
from galaxy_mail.adapters.smtp.envelopes import Offers
from galaxy_mail.adapters.smtp.jobs import Job
from galaxy_mail.adapters.smtp.session import BLOCK_OCTETS
from galaxy_mail.domain.verdict_table import VerdictTable, classify
from galaxy_mail.domain.verdicts import Fault, Receipt, Stage
from tests.adapters.smtp.world import MESSAGE, TO_ADA, one_connection, open_gate

OK, GO = b"250 ok\r\n", b"354 go\r\n"
ENVELOPE = b"MAIL FROM:<no-reply@example.org>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n"
BODY = MESSAGE + b".\r\n"
PATIENCE = Patience(command=60, block=50, dot=600, quit=5)


class Transport(asyncio.Transport):
    """Keeps what is written; takes every block, or is paused by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written.append(bytes(data))

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """The test talks to the protocol itself."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is buffered."""

    def is_closing(self) -> bool:
        """Once aborted."""
        return self.aborted

    def abort(self) -> None:
        """The end."""
        self.aborted = True


class Bench:
    """A connection, its pool, and the hands of a test on transport and time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, pipelining: bool = True) -> None:
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time()
        monkeypatch.setattr(self.loop, "time", lambda: self.now)
        self.transport = Transport()
        self.waiting: deque[Job] = deque()
        self.again: list[Job] = []
        config = RelayConfig(
            host="relay.example", port=25, tls=TlsMode.NONE, pool=one_connection(idle=30), patience=PATIENCE
        )
        self.connection = Connection(self.transport, Offers(pipelining=pipelining), config, self)

    # The pool, as the connection sees it.

    def next_job(self, connection: Connection) -> Job | None:
        """Whoever waits."""
        return self.waiting.popleft() if self.waiting else None

    def next_rider(self) -> Job | None:
        """Whoever waits."""
        return self.next_job(self.connection)

    def send_again(self, job: Job) -> None:
        """Keep it."""
        self.again.append(job)

    def lost(self, connection: Connection) -> None:
        """Nothing to do."""

    # The test.

    def mail(self, message: bytes = MESSAGE) -> asyncio.Future[Receipt]:
        """A mail that waits."""
        receipt: asyncio.Future[Receipt] = self.loop.create_future()
        self.waiting.append(Job(TO_ADA, message, open_gate, receipt, VerdictTable()))
        return receipt

    def start(self, mails: int = 1, message: bytes = MESSAGE) -> list[asyncio.Future[Receipt]]:
        """Mails that wait, and the connection awake."""
        receipts = [self.mail(message) for _ in range(mails)]
        self.connection.proceed()
        return receipts

    def hear(self, octets: bytes) -> None:
        """The server speaks."""
        self.connection.data_received(octets)

    async def pass_time(self, seconds: float) -> None:
        """Time goes by, and what was waiting for it happens."""
        self.now += seconds
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A pipelined connection that waits for its first mail."""
    return Bench(monkeypatch)


def verdicts(*receipts: asyncio.Future[Receipt]) -> list[object]:
    """What is known so far."""
    return [receipt.result().verdict if receipt.done() else None for receipt in receipts]


# --- what is written --------------------------------------------------------------------------------------------------


async def test_an_envelope_is_one_write_and_so_is_a_body(bench: Bench) -> None:
    """Two writes and two round trips for a lone mail (RFC 2920)."""
    bench.start()
    bench.hear(OK + OK + GO)
    assert bench.transport.written == [ENVELOPE, BODY]


async def test_the_next_envelope_rides_in_the_same_write_as_the_dot(bench: Bench) -> None:
    """So that many mails cost one write and one round trip each."""
    receipts = bench.start(3)
    bench.hear(OK + OK + GO)
    assert bench.transport.written == [ENVELOPE, BODY + ENVELOPE]
    bench.hear(OK + OK + OK + GO)
    assert bench.transport.written[2:] == [BODY + ENVELOPE]
    bench.hear(OK + OK + OK + GO + b"")
    bench.hear(OK)
    assert bench.transport.written[3:] == [BODY]
    assert all(receipt.result().verdict.accepted for receipt in receipts)


async def test_nothing_rides_without_pipelining(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command waits for its reply."""
    bench = Bench(monkeypatch, pipelining=False)
    bench.start(2)
    for reply in (OK, OK, GO):
        bench.hear(reply)
    assert bench.transport.written == [*ENVELOPE.splitlines(keepends=True), BODY]


async def test_a_paused_transport_is_given_nothing_of_the_body(bench: Bench) -> None:
    """Block by block, as they are taken; the dot comes last and alone."""
    message = MESSAGE + b"x" * (2 * BLOCK_OCTETS) + b"\r\n"
    (receipt,) = bench.start(message=message)
    bench.connection.pause_writing()
    bench.hear(OK + OK + GO)
    sizes = []
    for _ in range(3):
        sizes.append(len(bench.transport.written) - 1)
        bench.connection.resume_writing()
        bench.connection.pause_writing()
    assert sizes == [0, 3, 3]
    assert b"".join(bench.transport.written[1:]) == message + b".\r\n"
    assert not receipt.done()


async def test_a_transport_that_dies_under_a_block_is_given_no_further(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or asyncio would swallow the rest, dot and all, and a mail that never left would be in doubt."""
    (receipt,) = bench.start(message=MESSAGE + b"x" * (2 * BLOCK_OCTETS) + b"\r\n")
    monkeypatch.setattr(bench.transport, "is_closing", lambda: len(bench.transport.written) > 1)
    bench.hear(OK + OK + GO)
    bench.connection.connection_lost(ConnectionResetError())
    assert [len(block) for block in bench.transport.written[1:]] == [BLOCK_OCTETS]
    assert verdicts(receipt) == [classify(Stage.BODY, Fault.CLOSED)]


# --- how long it waits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heard, stage, seconds",
    [
        (b"", Stage.MAIL, 60),
        (OK, Stage.RCPT, 60),
        (OK + OK, Stage.DATA, 60),
        (OK + OK + GO, Stage.DOT, 600),
    ],
)
async def test_each_stage_has_its_patience(bench: Bench, heard: bytes, stage: Stage, seconds: float) -> None:
    """A reply short of it is in time, and past it the silence is a verdict."""
    (receipt,) = bench.start()
    bench.hear(heard)
    await bench.pass_time(seconds - 1)
    assert verdicts(receipt) == [None]
    await bench.pass_time(2)
    assert verdicts(receipt) == [classify(stage, Fault.TIMEOUT)]
    assert bench.transport.aborted


async def test_octets_that_are_no_reply_do_not_prolong_the_wait(bench: Bench) -> None:
    """One octet a minute would hold a connection for weeks."""
    (receipt,) = bench.start()
    await bench.pass_time(40)
    bench.hear(b"2")
    await bench.pass_time(21)
    assert verdicts(receipt) == [classify(Stage.MAIL, Fault.TIMEOUT)]


async def test_each_reply_prolongs_the_wait(bench: Bench) -> None:
    """Many recipients may take long together."""
    (receipt,) = bench.start()
    for reply in (OK, OK):
        await bench.pass_time(59)
        bench.hear(reply)
    await bench.pass_time(59)
    assert verdicts(receipt) == [None]


async def test_each_block_that_is_taken_prolongs_the_wait(bench: Bench) -> None:
    """A slow line is not a dead one, and a dead one is found in the body."""
    (receipt,) = bench.start(message=MESSAGE + b"x" * BLOCK_OCTETS + b"\r\n")
    bench.connection.pause_writing()
    bench.hear(OK + OK + GO)
    await bench.pass_time(49)
    assert verdicts(receipt) == [None]
    await bench.pass_time(2)
    assert verdicts(receipt) == [classify(Stage.BODY, Fault.TIMEOUT)]


async def test_an_idle_connection_says_quit_and_waits_for_its_answer(bench: Bench) -> None:
    """For a while."""
    bench.connection.proceed()
    await bench.pass_time(29)
    assert bench.transport.written == []
    await bench.pass_time(2)
    assert bench.transport.written == [b"QUIT\r\n"]
    assert not bench.connection.usable
    await bench.pass_time(4)
    assert not bench.transport.aborted
    await bench.pass_time(2)
    assert bench.transport.aborted


@pytest.mark.parametrize("answer", [b"221 bye\r\n", b"what?", None])
async def test_whatever_answers_quit_ends_it(bench: Bench, answer: bytes | None) -> None:
    """Also the end of the line."""
    bench.connection.retire()
    if answer:
        bench.hear(answer)
    else:
        bench.connection.eof_received()
    assert bench.transport.aborted


async def test_a_timer_that_rings_too_early_is_set_anew(bench: Bench) -> None:
    """One timer serves all waits: after the dot's ten minutes, the next command has a minute again."""
    first, second = bench.start(2)
    bench.hear(OK + OK + GO)
    await bench.pass_time(590)
    bench.hear(OK)
    assert verdicts(first, second) == [first.result().verdict, None]
    await bench.pass_time(59)
    assert not second.done()
    await bench.pass_time(2)
    assert verdicts(second) == [classify(Stage.MAIL, Fault.TIMEOUT)]
