"""Connections are shared, reused, limited and retired; a mail is never lost in between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from galaxy_mail.adapters.smtp import Patience, PooledSmtpSender, PoolLimits
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Envelope, Fault, Receipt, SmtpReply, Stage
from galaxy_mail.testing.smtp_rules import Deed, Moment, Rule, close, hang, lines, reply, say, twice
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.world import (
    ADA,
    BOB,
    HASTY,
    MESSAGE,
    SENDER,
    TO_ADA,
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


# --- reuse and limits -------------------------------------------------------------------------------------------------


async def test_a_connection_is_used_again() -> None:
    """One after the other, all mails share one connection and one EHLO."""
    async with ScriptedSmtpServer() as server, sending_to(server) as sender:
        receipts = [await send(sender) for _ in range(20)]
        assert all(receipt.verdict.accepted for receipt in receipts)
        assert server.connections == 1
        assert len(server.ledger.said("EHLO")) == 1


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_connections_than_allowed(limit: int) -> None:
    """However many mails there are at once."""
    async with (
        ScriptedSmtpServer() as server,
        sending_to(server, pool=PoolLimits(connections=limit)) as sender,
    ):
        receipts = await asyncio.gather(*sending(sender, 50))
        assert all(receipt.verdict.accepted for receipt in receipts)
        assert server.peak == limit


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_connection_carries_as_many_mails_as_allowed(pipelining: bool) -> None:
    """Then it is left with QUIT, and another one is made."""
    async with (
        ScriptedSmtpServer(offered=Offered(pipelining=pipelining)) as server,
        sending_to(server, pool=one_connection(mails=3)) as sender,
    ):
        await asyncio.gather(*sending(sender, 10))
        assert [copy.connection for copy in server.copies] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
        assert len(server.ledger.said("QUIT")) == 3
        assert server.peak == 1


async def test_an_old_connection_is_retired() -> None:
    """Past its age it takes no further mail."""
    async with ScriptedSmtpServer() as server, sending_to(server, pool=one_connection(age=1e-6)) as sender:
        await send(sender)
        await send(sender)
        assert server.connections == 2
        assert len(server.ledger.said("QUIT")) >= 1


async def test_an_idle_connection_is_left_with_quit() -> None:
    """After its time, without anybody asking; the next mail makes a new one."""
    async with ScriptedSmtpServer() as server, sending_to(server, pool=PoolLimits(idle=0.01)) as sender:
        await send(sender)
        await server.wait_for(Moment.GONE)
        assert server.ledger.said("QUIT") == [b"QUIT"]
        assert (await send(sender)).verdict.accepted
        assert server.connections == 2


async def test_a_refused_mail_leaves_the_connection_fit() -> None:
    """4xx and 5xx are clean: RSET, and the next mail follows on it."""
    rules = [
        reply(Moment.MAIL, 451, nth=1),
        reply(Moment.RCPT, 550, nth=2),
        reply(Moment.DATA, 451, nth=3),
        reply(Moment.DOT, 554, nth=1),
    ]
    async with ScriptedSmtpServer(rules) as server, sending_to(server) as sender:
        receipts = [await send(sender) for _ in range(5)]
        assert [receipt.verdict.stage for receipt in receipts] == [
            Stage.MAIL,
            Stage.RCPT,
            Stage.DATA,
            Stage.DOT,
            Stage.DOT,
        ]
        assert server.connections == 1
        assert server.ledger.breaches == []


@pytest.mark.parametrize(
    "rule",
    [
        twice(Moment.DOT, nth=1),
        reply(Moment.DOT, 421, nth=1),
        reply(Moment.RCPT, 421, nth=1),
        say(Moment.DATA, b"354 go\r\n250 done\r\n", nth=1),
        close(Moment.DOT, nth=1),
    ],
    ids=["two replies", "421 at the dot", "421 at RCPT", "a surplus at DATA", "close"],
)
async def test_after_anything_but_a_clean_reply_the_connection_is_gone(rule: Rule) -> None:
    """Without QUIT; the next mail is on a new one, and reads its own replies."""
    async with ScriptedSmtpServer([rule]) as server, sending_to(server) as sender:
        await send(sender)
        assert (await send(sender)).remote_id == server.copies[-1].queue_id
        assert server.connections == 2
        assert server.ledger.said("QUIT") == []


async def test_the_receipt_is_there_before_anything_else_is_said() -> None:
    """Neither RSET nor QUIT stands between the reply to the dot and the receipt, even where the server hangs on both."""
    rules = [hang(Moment.RSET), hang(Moment.QUIT)]
    async with ScriptedSmtpServer(rules) as server, sending_to(server) as sender:
        assert (await send(sender)).verdict.accepted
        assert server.ledger.commands[-1][1] == b"DATA"


# --- growing ----------------------------------------------------------------------------------------------------------


async def test_a_relay_that_is_down_is_asked_once_for_all_who_wait() -> None:
    """100 mails, one attempt to connect, and 100 verdicts."""
    async with ScriptedSmtpServer([reply(Moment.GREETING, 554, "5.3.2 closed")]) as server:
        async with sending_to(server) as sender:
            receipts = await asyncio.gather(*sending(sender, 100))
        assert {receipt.verdict for receipt in receipts} == {
            classify(Stage.GREETING, SmtpReply(554, "5.3.2 closed"))
        }
        assert server.connections == 1


async def test_where_others_work_a_refused_connection_is_nobodys_failure() -> None:
    """A relay that takes two connections and no more serves everybody on those two."""
    rules = [Rule(Moment.GREETING, lambda _: [lines(421, "too many"), Deed.CLOSE], lambda now: now.count > 2)]
    async with ScriptedSmtpServer(rules) as server, sending_to(server) as sender:
        receipts = await asyncio.gather(*sending(sender, 50))
        assert all(receipt.verdict.accepted for receipt in receipts)
        assert {copy.connection for copy in server.copies} == {1, 2}
        assert server.connections < 10


async def test_after_a_refused_connection_the_pool_grows_again_by_itself() -> None:
    """The one that works hangs at its dot, and nobody sends anything more: the waiting mail gets a connection all the same."""
    rules = [
        Rule(Moment.GREETING, lambda _: [lines(421, "too many"), Deed.CLOSE], lambda now: now.count == 2),
        hang(Moment.DOT, nth=1),
    ]
    limits = PoolLimits(pause=0.05)
    async with ScriptedSmtpServer(rules) as server, sending_to(server, pool=limits) as sender:
        (stuck,) = sending(sender)
        await server.wait_for(Moment.DOT)
        assert (await send(sender)).verdict.accepted
        assert not stuck.done()
        assert server.connections == 3
        server.release()
        await stuck


async def test_a_bug_after_the_handshake_is_told_to_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not tried again and again behind their backs."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("galaxy_mail.adapters.smtp.sender.Connection", broken)
    async with ScriptedSmtpServer() as server, sending_to(server) as sender:
        receipts = await asyncio.gather(*sending(sender, 3))
        assert {receipt.verdict.fault for receipt in receipts} == {Fault.INTERNAL}
        assert server.connections == 1


# --- riding -----------------------------------------------------------------------------------------------------------


async def test_waiting_mails_ride_behind_the_one_before() -> None:
    """On a single pipelined connection, the next MAIL is with the server before the last dot is answered."""
    async with (
        ScriptedSmtpServer([hang(Moment.DOT, nth=1)]) as server,
        sending_to(server, pool=one_connection()) as sender,
    ):
        tasks = sending(sender, 3)
        await server.wait_for(Moment.DOT)
        server.release()
        assert all(receipt.verdict.accepted for receipt in await asyncio.gather(*tasks))
        assert [line.split()[0] for _, line in server.ledger.commands[1:]] == [b"MAIL", b"RCPT", b"DATA"] * 3


async def test_one_mail_rides_and_the_others_wait() -> None:
    """While the first dot is not answered, the second mail is with the server and the third is not."""
    async with (
        ScriptedSmtpServer([hang(Moment.DOT, nth=1)]) as server,
        sending_to(server, pool=one_connection()) as sender,
    ):
        tasks = sending(sender, 3)
        await server.wait_for(Moment.DOT)
        assert repr(sender).endswith("1 open, 1 mails waiting>")
        server.release()
        await asyncio.gather(*tasks)


async def test_a_rider_whose_gate_closes_is_withheld_once_the_mail_before_it_is_answered() -> None:
    """The one before has its receipt; the rider's body is not begun, and the connection ends."""
    async with ScriptedSmtpServer() as server, sending_to(server, pool=one_connection()) as sender:
        before = asyncio.create_task(send(sender))
        rider = asyncio.create_task(sender.send(Envelope(SENDER, (BOB,)), MESSAGE, lambda: Fault.CLAIM_LOST))
        assert (await before).verdict.accepted
        assert (await rider).verdict == classify(Stage.LOCAL, Fault.CLAIM_LOST)
        await server.wait_for(Moment.GONE)
        assert [copy.recipients for copy in server.copies] == [(str(ADA),)]


@pytest.mark.parametrize(
    "rule, patience, fault",
    [
        (close(Moment.DOT, nth=1), Patience(), Fault.CLOSED),
        (hang(Moment.DOT, nth=1), Patience(dot=HASTY), Fault.TIMEOUT),
        (say(Moment.DOT, b"what?\r\n", nth=1), Patience(), Fault.GARBAGE),
    ],
    ids=["close", "hang", "garbage"],
)
async def test_a_rider_is_not_blamed_for_the_mail_before_it(
    rule: Rule, patience: Patience, fault: Fault
) -> None:
    """The one before is in doubt; the rider, of which the server has said nothing, goes again on a fresh connection."""
    async with (
        ScriptedSmtpServer([rule]) as server,
        sending_to(server, pool=one_connection(), patience=patience) as sender,
    ):
        before, rider = await asyncio.gather(*sending(sender, 2))
        assert before.verdict == classify(Stage.DOT, fault)
        assert rider.verdict.accepted


# --- connections that die while idle ----------------------------------------------------------------------------------


@pytest.mark.parametrize("polite", [True, False], ids=["421", "EOF"])
async def test_an_idle_connection_that_the_server_closes_burns_nothing(polite: bool) -> None:
    """The close is seen while idle; the next mail goes on a new connection."""
    async with ScriptedSmtpServer() as server, sending_to(server) as sender:
        await send(sender)
        if polite:
            server.say_to_all(b"421 4.4.2 idle for too long\r\n")
        server.drop_all()
        await server.wait_for(Moment.GONE)
        receipt = await send(sender)
        assert receipt.verdict.accepted
        assert server.connections == 2


@pytest.mark.parametrize(
    "act", [lambda _: [Deed.CLOSE], lambda _: [lines(421, "4.4.2 timeout"), Deed.CLOSE]], ids=["EOF", "421"]
)
async def test_a_connection_closed_under_the_next_mail_is_excused_once(act: Any) -> None:
    """The server has said nothing to that mail, and the connection was not made for it."""
    rules = [Rule(Moment.MAIL, act, lambda now: now.count == 2)]
    async with ScriptedSmtpServer(rules) as server, sending_to(server) as sender:
        await send(sender)
        assert (await send(sender)).verdict.accepted
        assert server.connections == 2
        assert len(server.copies) == 2


async def test_a_second_closed_connection_is_no_excuse() -> None:
    """Two warm connections that die under one mail are the relay's trouble."""
    rules = [Rule(Moment.MAIL, lambda _: [Deed.CLOSE], lambda now: now.count > 2), hang(Moment.DOT, nth=1)]
    async with (
        ScriptedSmtpServer(rules) as server,
        sending_to(server, pool=PoolLimits(connections=2)) as sender,
    ):
        tasks = sending(sender, 2)
        await server.wait_for(Moment.DOT, 2)
        server.release()
        await asyncio.gather(*tasks)
        assert (await send(sender)).verdict == classify(Stage.MAIL, Fault.CLOSED)
        assert server.connections == 2


async def test_a_fresh_connection_that_closes_is_no_excuse() -> None:
    """Else a relay that always closes would be asked for ever."""
    async with ScriptedSmtpServer([close(Moment.MAIL)]) as server, sending_to(server) as sender:
        assert (await send(sender)).verdict == classify(Stage.MAIL, Fault.CLOSED)
        assert server.connections == 1


async def test_nothing_goes_again_once_the_server_has_answered() -> None:
    """A connection that closes after a reply to MAIL may have kept something of it."""
    async with ScriptedSmtpServer([close(Moment.RCPT, nth=2)]) as server, sending_to(server) as sender:
        await send(sender)
        assert (await send(sender)).verdict == classify(Stage.RCPT, Fault.CLOSED)
        assert server.connections == 1
