"""Every stage of the verdict table against every misbehaviour, on a real socket."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from galaxy_mail.adapters.smtp import Patience
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Envelope, Fault, Receipt, SmtpReply, Stage, Verdict
from galaxy_mail.testing.smtp_rules import (
    Deed,
    Moment,
    Rule,
    close,
    drip,
    endless,
    garbage,
    giant_line,
    hang,
    lines,
    reply,
    reset,
    say,
    twice,
    usual_then_close,
)
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.world import ADA, BOB, HASTY, LARGE, MESSAGE, SENDER, TO_ADA, open_gate, sending_to

STAGES = {
    Moment.GREETING: Stage.GREETING,
    Moment.EHLO: Stage.EHLO,
    Moment.MAIL: Stage.MAIL,
    Moment.RCPT: Stage.RCPT,
    Moment.DATA: Stage.DATA,
    Moment.DOT: Stage.DOT,
}
EVERYWHERE = pytest.mark.parametrize("moment", STAGES)
BOTH_WAYS = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "step by step"])


async def one_mail(
    *rules: Rule,
    pipelining: bool = True,
    to: tuple[EmailAddress, ...] = (ADA,),
    message: bytes = MESSAGE,
    patience: Patience | None = None,
) -> tuple[Receipt, ScriptedSmtpServer]:
    """The receipt of one mail to a server with these rules, and the server as it was left."""
    async with ScriptedSmtpServer(rules, Offered(pipelining=pipelining)) as server:
        async with sending_to(server, patience=patience or Patience()) as sender:
            receipt = await sender.send(Envelope(SENDER, to), message, open_gate)
        assert server.ledger.breaches == []
        return receipt, server


def impatient_at(stage: Stage) -> Patience:
    """Little patience at one stage."""
    step = {Stage.GREETING: "connect", Stage.BODY: "block", Stage.DOT: "dot"}.get(stage, "command")
    return Patience(**{step: HASTY})


# --- replies ----------------------------------------------------------------------------------------------------------


@BOTH_WAYS
@EVERYWHERE
@pytest.mark.parametrize(
    "code, text",
    [
        (421, "4.3.2 closing"),
        (451, "4.3.0 later"),
        (450, "4.7.1 greylisted"),
        (554, "5.7.1 policy"),
        (550, "no"),
    ],
)
async def test_a_refusal_is_judged_at_its_stage(
    moment: Moment, code: int, text: str, pipelining: bool
) -> None:
    """What the server says is what the table is asked about, at the stage where it is said, and no copy is made."""
    receipt, server = await one_mail(reply(moment, code, text), pipelining=pipelining)
    assert receipt.verdict == classify(STAGES[moment], SmtpReply(code, text))
    assert server.copies == []


@BOTH_WAYS
@EVERYWHERE
async def test_a_complete_reply_outlives_the_close(moment: Moment, pipelining: bool) -> None:
    """Refused and then closed is refused; told "go on" and then closed is the next stage's trouble."""
    refusal = say(moment, lines(550, "5.1.1 no"), Deed.CLOSE)
    receipt, _ = await one_mail(refusal, pipelining=pipelining)
    assert receipt.verdict == classify(STAGES[moment], SmtpReply(550, "5.1.1 no"))


async def test_a_success_outlives_the_close() -> None:
    """What was accepted stays accepted, whatever the server does next."""
    receipt, server = await one_mail(usual_then_close(Moment.DOT))
    assert receipt.verdict.accepted
    assert receipt.remote_id == server.copies[0].queue_id


@BOTH_WAYS
@EVERYWHERE
async def test_a_reply_may_come_octet_by_octet(moment: Moment, pipelining: bool) -> None:
    """Slow is not wrong."""
    receipt, server = await one_mail(drip(moment), pipelining=pipelining)
    assert receipt.verdict.accepted
    assert len(server.copies) == 1


async def test_some_accepted_and_some_refused() -> None:
    """The accepted get the dot's verdict, and the server delivers to them alone."""
    rules = [
        reply(Moment.RCPT, 550, "5.1.1 no bob", recipient=str(BOB)),
        reply(Moment.DOT, 250, "queued as X1"),
    ]
    receipt, server = await one_mail(*rules, to=(BOB, ADA))
    assert receipt.verdicts == (
        classify(Stage.RCPT, SmtpReply(550, "5.1.1 no bob")),
        classify(Stage.DOT, SmtpReply(250, "queued as X1")),
    )
    assert receipt.remote_id == "X1"
    assert [copy.recipients for copy in server.copies] == [(str(ADA),)]


async def test_only_an_accepted_mail_has_a_queue_id() -> None:
    """Whatever a refusal says."""
    receipt, _ = await one_mail(reply(Moment.DOT, 451, "4.3.0 queued as X1"))
    assert receipt.remote_id is None


async def test_nobody_accepted_and_354_all_the_same() -> None:
    """A lone dot ends it, the refusals stand, and no message is delivered."""
    rules = [reply(Moment.RCPT, 550, "5.1.1 no"), reply(Moment.DATA, 354, "go")]
    receipt, server = await one_mail(*rules)
    assert receipt.verdict == classify(Stage.RCPT, SmtpReply(550, "5.1.1 no"))
    assert server.ledger.moments[Moment.DOT] == 1
    assert server.copies == []


# --- faults -----------------------------------------------------------------------------------------------------------

FAULTS: dict[str, tuple[Callable[[Moment], Rule], Fault]] = {
    "close": (close, Fault.CLOSED),
    "reset": (reset, Fault.CLOSED),
    "garbage": (garbage, Fault.GARBAGE),
    "a line of 2 MB": (giant_line, Fault.GARBAGE),
    "endless continuation": (endless, Fault.GARBAGE),
}


@BOTH_WAYS
@EVERYWHERE
@pytest.mark.parametrize("act, fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_judged_at_its_stage(
    moment: Moment, act: Callable[[Moment], Rule], fault: Fault, pipelining: bool
) -> None:
    """Before the dot it is the transport's and burns nothing; at the dot the server may have the mail."""
    receipt, server = await one_mail(act(moment), pipelining=pipelining)
    assert receipt.verdict == classify(STAGES[moment], fault)
    assert receipt.verdict.ambiguous is (moment is Moment.DOT)
    assert receipt.verdict.burns_attempt is (moment is Moment.DOT)
    assert server.copies == []


@BOTH_WAYS
@EVERYWHERE
async def test_silence_is_judged_at_its_stage(moment: Moment, pipelining: bool) -> None:
    """Each stage has a patience of its own; only at the dot is its end in doubt."""
    stage = STAGES[moment]
    receipt, _ = await one_mail(hang(moment), pipelining=pipelining, patience=impatient_at(stage))
    assert receipt.verdict == classify(stage, Fault.TIMEOUT)
    assert receipt.verdict.ambiguous is (moment is Moment.DOT)


@BOTH_WAYS
@pytest.mark.parametrize(
    "moment, verdict",
    [
        (Moment.GREETING, classify(Stage.EHLO, Fault.GARBAGE)),
        (Moment.EHLO, classify(Stage.EHLO, Fault.GARBAGE)),
        (Moment.DATA, classify(Stage.DATA, Fault.GARBAGE)),
    ],
)
async def test_two_replies_are_out_of_step(moment: Moment, verdict: Verdict, pipelining: bool) -> None:
    """One too many is found before the body, and nothing is sent."""
    receipt, server = await one_mail(twice(moment), pipelining=pipelining)
    assert receipt.verdict == verdict
    assert server.copies == []


@BOTH_WAYS
@pytest.mark.parametrize("moment", [Moment.MAIL, Moment.RCPT])
async def test_a_reply_too_many_among_the_commands_blames_nobody(moment: Moment, pipelining: bool) -> None:
    """A refusal that slipped to another command is believed of no recipient."""
    rules = [twice(moment, nth=1), reply(Moment.RCPT, 550, "5.1.1 no bob", recipient=str(BOB))]
    receipt, server = await one_mail(*rules, to=(ADA, BOB), pipelining=pipelining)
    assert {verdict.fault for verdict in receipt.verdicts} == {Fault.GARBAGE}
    assert not any(verdict.burns_attempt for verdict in receipt.verdicts)
    assert server.copies == []


@pytest.mark.parametrize("act", [close, reset])
async def test_a_server_that_accepts_and_says_nothing_is_in_doubt(act: Callable[..., Rule]) -> None:
    """It has the mail and we cannot know: ambiguous (RFC 1047)."""
    receipt, server = await one_mail(act(Moment.DOT, keeps=True))
    assert receipt.verdict == classify(Stage.DOT, Fault.CLOSED)
    assert receipt.verdict.ambiguous
    assert len(server.copies) == 1


@pytest.mark.parametrize("code", [354, 334])
async def test_a_3xx_to_the_dot_is_in_doubt(code: int) -> None:
    """No success, no refusal."""
    receipt, _ = await one_mail(reply(Moment.DOT, code))
    assert receipt.verdict == classify(Stage.DOT, Fault.GARBAGE)
    assert receipt.verdict.ambiguous


# --- the body ---------------------------------------------------------------------------------------------------------


async def test_a_body_that_is_not_taken_is_stuck_in_the_body() -> None:
    """20 MB and a server that reads no more: the dot cannot have left, so there is no doubt and no burn."""
    receipt, server = await one_mail(hang(Moment.BODY), message=LARGE, patience=impatient_at(Stage.BODY))
    assert receipt.verdict == classify(Stage.BODY, Fault.TIMEOUT)
    assert not receipt.verdict.ambiguous
    assert server.copies == []


@pytest.mark.parametrize("act", [close, reset])
async def test_a_connection_that_ends_in_the_body_leaves_no_doubt(act: Callable[[Moment], Rule]) -> None:
    """The dot was held back."""
    receipt, _ = await one_mail(act(Moment.BODY), message=LARGE)
    assert receipt.verdict == classify(Stage.BODY, Fault.CLOSED)


@pytest.mark.parametrize("code, text", [(552, "5.3.4 too big"), (451, "4.3.1 disk full"), (421, "4.3.2 bye")])
async def test_an_error_in_the_middle_of_the_body_is_its_reply(code: int, text: str) -> None:
    """The server need not wait for the dot to refuse, nor we to hear it."""
    receipt, _ = await one_mail(say(Moment.BODY, lines(code, text), Deed.HANG), message=LARGE)
    assert receipt.verdict == classify(Stage.BODY, SmtpReply(code, text))


async def test_20_mb_arrive() -> None:
    """In blocks, octet for octet."""
    receipt, server = await one_mail(message=LARGE)
    assert receipt.verdict.accepted
    assert server.copies[0].octets == LARGE


# --- before any connection --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "offered, envelope, message, fault",
    [
        (Offered(size=100), TO_ADA, b"x" * 101, Fault.TOO_LARGE),
        (
            Offered(smtputf8=False),
            Envelope(SENDER, (EmailAddress("žofie", "example.org"),)),
            MESSAGE,
            Fault.SMTPUTF8_MISSING,
        ),
    ],
)
async def test_what_the_server_cannot_take_is_refused_here(
    offered: Offered, envelope: Envelope, message: bytes, fault: Fault
) -> None:
    """Larger than SIZE, or SMTPUTF8 without the server's: permanent, and not a command is spent on it."""
    async with ScriptedSmtpServer(offered=offered) as server, sending_to(server) as sender:
        receipt = await sender.send(envelope, message, open_gate)
        assert receipt.verdict == classify(Stage.LOCAL, fault)
        assert server.ledger.said("MAIL") == []
        assert (await sender.send(TO_ADA, b"a: b\r\n\r\n", open_gate)).verdict.accepted


async def test_a_relay_that_is_not_there_is_unreachable() -> None:
    """Connection refused, and a name that does not exist, burn nothing."""
    async with ScriptedSmtpServer() as server:
        pass
    for host in ("127.0.0.1", "no-such-host.invalid"):
        async with sending_to(server, host=host) as sender:
            receipt = await sender.send(TO_ADA, MESSAGE, open_gate)
            assert receipt.verdict == classify(Stage.CONNECT, Fault.UNREACHABLE)


async def test_what_is_said_in_utf8_arrives() -> None:
    """SMTPUTF8 and 8BITMIME are declared where an address or the message needs them."""
    address = EmailAddress("žofie", "example.org")
    message = "Message-ID: <1@example.org>\r\nTo: žofie@example.org\r\n\r\nhi\r\n".encode()
    async with ScriptedSmtpServer() as server, sending_to(server) as sender:
        receipt = await sender.send(Envelope(SENDER, (address,), smtputf8=True), message, open_gate)
        assert receipt.verdict.accepted
        assert server.copies[0].recipients == (str(address),)
        assert server.copies[0].parameters == f"SIZE={len(message)} SMTPUTF8 BODY=8BITMIME"
