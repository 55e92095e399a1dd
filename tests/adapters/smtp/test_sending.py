"""Callers that leave, gates that close, and the end of it all."""

from __future__ import annotations

import asyncio

import pytest

from galaxy_mail.adapters.smtp import Patience, PooledSmtpSender
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, Receipt, Stage
from galaxy_mail.testing.smtp_rules import Moment, Rule, close, hang, reply, twice
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.world import (
    HASTY,
    LARGE,
    MESSAGE,
    TO_ADA,
    config_for,
    one_connection,
    open_gate,
    sending_to,
)


async def send(sender: PooledSmtpSender, message: bytes = MESSAGE) -> Receipt:
    """One mail to Ada."""
    return await sender.send(TO_ADA, message, open_gate)


def sending(sender: PooledSmtpSender, mails: int = 1) -> list[asyncio.Task[Receipt]]:
    """Mails under way."""
    return [asyncio.create_task(send(sender)) for _ in range(mails)]


# --- cancellation -----------------------------------------------------------------------------------------------------


async def test_a_caller_that_leaves_after_the_body_breaks_nothing() -> None:
    """The transaction goes on, and the connection is fit for the next mail, which reads its own reply."""
    async with (
        ScriptedSmtpServer([hang(Moment.DOT, nth=1)]) as server,
        sending_to(server, pool=one_connection()) as sender,
    ):
        (leaving,) = sending(sender)
        await server.wait_for(Moment.DOT)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        following = asyncio.create_task(send(sender))
        server.release()
        assert (await following).remote_id == server.copies[1].queue_id
        assert server.connections == 1


async def test_a_caller_that_leaves_before_the_body_sends_nothing() -> None:
    """Nobody would write down what became of it."""
    async with ScriptedSmtpServer([hang(Moment.DATA)]) as server, sending_to(server) as sender:
        (leaving,) = sending(sender)
        await server.wait_for(Moment.DATA)
        leaving.cancel()
        server.release()
        await server.wait_for(Moment.GONE)
        assert server.copies == []


async def test_a_caller_that_leaves_the_queue_is_forgotten() -> None:
    """Its mail is never begun."""
    async with (
        ScriptedSmtpServer([hang(Moment.DOT, nth=1)], Offered(pipelining=False)) as server,
        sending_to(server, pool=one_connection()) as sender,
    ):
        first, leaving, last = sending(sender, 3)
        await server.wait_for(Moment.DOT)
        leaving.cancel()
        server.release()
        assert (await first).verdict.accepted
        assert (await last).verdict.accepted
        assert len(server.ledger.said("MAIL")) == 2


# --- the gate ---------------------------------------------------------------------------------------------------------


async def test_the_gate_is_asked_after_the_354_and_before_the_body() -> None:
    """Not earlier, for minutes may pass in between; with the body 20 MB long, not an octet of it has left."""
    seen: list[tuple[bytes, int]] = []
    async with ScriptedSmtpServer() as server, sending_to(server) as sender:

        def gate() -> None:
            seen.append((server.ledger.commands[-1][1], server.ledger.moments[Moment.BODY]))

        await sender.send(TO_ADA, LARGE, gate)
    assert seen == [(b"DATA", 0)]


async def test_the_gate_is_not_asked_where_nobody_is_accepted() -> None:
    """There is no body to withhold."""
    async with ScriptedSmtpServer([reply(Moment.RCPT, 550)]) as server, sending_to(server) as sender:
        receipt = await sender.send(TO_ADA, MESSAGE, lambda: pytest.fail("asked"))
        assert receipt.verdict.stage is Stage.RCPT


async def test_a_gate_that_raises_withholds_the_body() -> None:
    """A bug of ours is told as one, and nothing is sent."""
    async with ScriptedSmtpServer() as server, sending_to(server) as sender:

        def gate() -> Fault | None:
            raise RuntimeError

        receipt = await sender.send(TO_ADA, MESSAGE, gate)
        assert receipt.verdict == classify(Stage.LOCAL, Fault.INTERNAL)
        assert server.copies == []


# --- closing ----------------------------------------------------------------------------------------------------------


async def test_closing_waits_for_mails_under_way_and_says_quit() -> None:
    """What was given to ``send`` before is sent, also what still waits for a connection."""
    async with ScriptedSmtpServer([hang(Moment.DOT, nth=1)]) as server:
        sender = PooledSmtpSender(config_for(server, pool=one_connection()))
        tasks = sending(sender, 3)
        await server.wait_for(Moment.DOT)
        closing = asyncio.create_task(sender.aclose())
        await asyncio.sleep(0)
        assert not closing.done()
        server.release()
        await closing
        assert all(receipt.verdict.accepted for receipt in await asyncio.gather(*tasks))
        assert server.ledger.commands[-1][1] == b"QUIT"


@pytest.mark.parametrize("rule", [hang(Moment.QUIT), close(Moment.QUIT), twice(Moment.QUIT)])
async def test_whatever_quit_brings_is_ignored(rule: Rule) -> None:
    """The mail is safe by then."""
    async with ScriptedSmtpServer([rule]) as server:
        sender = PooledSmtpSender(config_for(server, patience=Patience(quit=HASTY)))
        assert (await send(sender)).verdict.accepted
        await sender.aclose()
        assert len(server.ledger.said("QUIT")) == 1


async def test_a_closed_sender_tells_so_by_a_verdict() -> None:
    """Late mails burn nothing, and make no connection."""
    async with ScriptedSmtpServer() as server:
        sender = PooledSmtpSender(config_for(server))
        await sender.aclose()
        assert (await send(sender)).verdict == classify(Stage.CONNECT, Fault.CLOSED)
        assert server.connections == 0


async def test_abort_ends_everything_at_once() -> None:
    """Past the dot the mail is in doubt, those that wait have met a closed connection; then closing is immediate."""
    async with ScriptedSmtpServer([hang(Moment.DOT)], Offered(pipelining=False)) as server:
        sender = PooledSmtpSender(config_for(server, pool=one_connection()))
        tasks = sending(sender, 2)
        await server.wait_for(Moment.DOT)
        sender.abort()
        await sender.aclose()
        sent, waited = await asyncio.gather(*tasks)
        assert sent.verdict == classify(Stage.DOT, Fault.CLOSED)
        assert waited.verdict == classify(Stage.CONNECT, Fault.CLOSED)


async def test_its_repr_shows_where_it_stands() -> None:
    """Host, port, and how much is going on."""
    async with ScriptedSmtpServer() as server, sending_to(server) as sender:
        await send(sender)
        assert repr(sender) == f"<PooledSmtpSender 127.0.0.1:{server.port}, 1 open, 0 mails waiting>"
