"""The session talked to line by line; how a scripted server and any cutting fare is in the modules beside this one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from galaxy_mail.adapters.smtp.session import BLOCK_OCTETS, Session
from galaxy_mail.adapters.smtp.transaction import BodyWanted, Event, Finished
from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage
from tests.adapters.smtp.lines import (
    BODY,
    BYE,
    GO,
    LATER,
    NO,
    OK,
    ONE,
    TWO,
    at_dot,
    begun,
    in_body,
    reply,
    riding,
    signals,
)

# --- the course of a mail ---------------------------------------------------------------------------------------------


def test_pipelined_commands_go_out_together() -> None:
    """MAIL, RCPT … and DATA in one write (RFC 2920), and the body only after all is answered."""
    session = Session(pipelining=True)
    transaction = session.begin(TWO)
    assert session.take_outgoing() == b"".join(TWO)
    assert session.receive(OK * 3) == []
    assert session.receive(GO) == [BodyWanted(transaction)]


def test_without_pipelining_each_command_waits_for_the_reply_before_it() -> None:
    """One command, one reply, and nothing in between."""
    session = Session(pipelining=False)
    transaction = session.begin(TWO)
    written = [session.take_outgoing()]
    for _ in range(3):
        assert session.take_outgoing() == b""
        assert session.receive(OK) == []
        written.append(session.take_outgoing())
    assert written == TWO
    assert session.receive(GO) == [BodyWanted(transaction)]


def test_a_2xx_to_the_dot_decides_whoever_is_open() -> None:
    """The refused keep their refusal, the others get what was said to the dot."""
    session, transaction = begun(TWO)
    session.receive(OK + OK + NO + GO)
    session.open_body(transaction, BODY)
    session.next_block()
    assert signals(session.receive(OK)) == [[(Stage.DOT, reply(OK)), (Stage.RCPT, reply(NO))]]
    assert session.idle


@pytest.mark.parametrize(
    "answer", [b"250 ok\r\n", b"251 b\r\n", b"299 odd\r\n", LATER, NO, b"552 5.3.4 big\r\n"]
)
def test_any_clean_reply_to_the_dot_leaves_the_connection_fit_for_the_next(answer: bytes) -> None:
    """2xx, 4xx or 5xx: it is this mail's, and the conversation goes on."""
    session, _ = at_dot(ONE)
    assert signals(session.receive(answer)) == [[(Stage.DOT, reply(answer))]]
    assert session.idle


def test_a_large_body_goes_out_in_blocks_and_is_at_the_dot_only_with_the_last() -> None:
    """As long as a block is held back, the dot cannot have left."""
    session, transaction = begun(ONE)
    session.receive(OK * 2 + GO)
    octets = b"x" * (2 * BLOCK_OCTETS) + BODY
    session.open_body(transaction, octets)
    blocks = []
    while session.body_ready:
        assert transaction.stage is Stage.BODY
        blocks.append(bytes(session.next_block()))
    assert transaction.stage is Stage.DOT
    assert [len(block) for block in blocks] == [BLOCK_OCTETS, BLOCK_OCTETS, len(BODY)]
    assert b"".join(blocks) == octets


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_refused_sender_refuses_everybody(pipelining: bool) -> None:
    """What is said to RCPT and DATA behind it is about MAIL; RSET clears the ground, and the connection stays."""
    session, _ = begun(TWO, pipelining=pipelining)
    session.receive(b"550 5.7.1 not you\r\n" + (b"503 MAIL first\r\n" * 3 if pipelining else b""))
    assert session.take_outgoing() == b"RSET\r\n"
    assert signals(session.receive(OK)) == [[(Stage.MAIL, SmtpReply(550, "5.7.1 not you"))] * 2]
    assert session.idle


@pytest.mark.parametrize("pipelining", [True, False])
def test_refused_recipients_each_keep_what_was_said_to_them(pipelining: bool) -> None:
    """All refused, DATA refused or not said: RSET, and each has its own reply."""
    session, _ = begun(TWO, pipelining=pipelining)
    for answer in (OK, NO, LATER):
        session.take_outgoing()
        assert session.receive(answer) == []
    session.receive(b"554 no valid recipients\r\n" if pipelining else b"")
    assert session.take_outgoing() == b"RSET\r\n"
    assert signals(session.receive(OK)) == [[(Stage.RCPT, reply(NO)), (Stage.RCPT, reply(LATER))]]
    assert session.idle


def test_where_data_is_answered_354_for_nobody_a_lone_dot_is_sent() -> None:
    """RFC 2920 section 3.1: an empty message, whose reply changes nothing, and no gate is asked."""
    session, _ = begun(TWO)
    assert session.receive(OK + NO + LATER + GO) == []
    assert session.take_outgoing() == b".\r\n"
    assert signals(session.receive(b"554 nobody named\r\n")) == [
        [(Stage.RCPT, reply(NO)), (Stage.RCPT, reply(LATER))]
    ]
    assert session.idle


def test_a_refused_data_decides_the_accepted() -> None:
    """The refused keep their refusal."""
    session, _ = begun(TWO)
    session.receive(OK + NO + OK + b"451 4.3.0 disk\r\n")
    assert session.take_outgoing() == b"RSET\r\n"
    assert signals(session.receive(OK)) == [
        [(Stage.RCPT, reply(NO)), (Stage.DATA, SmtpReply(451, "4.3.0 disk"))]
    ]


def test_a_refusal_outlives_the_connection() -> None:
    """A complete reply, then close: the reply keeps its row; the others get the stage they stood at."""
    session, _ = begun(TWO)
    session.receive(OK + NO)
    assert signals(session.fail(Fault.CLOSED)) == [[(Stage.RCPT, reply(NO)), (Stage.RCPT, Fault.CLOSED)]]
    session, _ = begun(TWO)
    session.receive(OK + NO + NO + b"554 no valid recipients\r\n")
    assert signals(session.fail(Fault.CLOSED)) == [[(Stage.RCPT, reply(NO))] * 2]


def test_a_refusal_without_proof_does_not_outlive_silence() -> None:
    """If a reply was left out, each later one was read as another command's; so a timeout before the 354 is everybody's."""
    session, _ = begun(TWO)
    session.receive(OK + NO)
    assert signals(session.fail(Fault.TIMEOUT)) == [[(Stage.RCPT, Fault.TIMEOUT)] * 2]
    session, transaction = begun(TWO)
    session.receive(OK + NO + OK + GO)
    session.open_body(transaction, BODY)
    assert signals(session.fail(Fault.TIMEOUT)) == [[(Stage.RCPT, reply(NO)), (Stage.BODY, Fault.TIMEOUT)]]


def test_a_reply_cannot_answer_what_is_not_written_yet() -> None:
    """Where commands are said one by one, two replies at once are one too many."""
    session, _ = begun(TWO, pipelining=False)
    assert signals(session.receive(OK + OK)) == [[(Stage.RCPT, Fault.GARBAGE)] * 2]


# --- failures of ours -------------------------------------------------------------------------------------------------


def test_a_closed_gate_is_told_at_its_own_stage() -> None:
    """The accepted learn it at LOCAL, the refused have been refused."""
    session, _ = begun(TWO)
    session.receive(OK + NO + OK + GO)
    assert signals(session.fail(Fault.EXPIRED, Stage.LOCAL)) == [
        [(Stage.RCPT, reply(NO)), (Stage.LOCAL, Fault.EXPIRED)]
    ]


# --- riding -----------------------------------------------------------------------------------------------------------


def test_the_next_mail_may_ride_behind_the_dot() -> None:
    """Not before the dot is handed out, not without PIPELINING, and one only."""
    session, _ = in_body(ONE)
    may_ride = [session.may_ride]
    session.next_block()
    may_ride.append(session.may_ride)
    rider = session.begin(TWO)
    may_ride.append(session.may_ride)
    assert may_ride == [False, True, False]
    assert session.take_outgoing() == b"".join(TWO)
    assert signals(session.receive(OK)) == [[(Stage.DOT, reply(OK))]]
    assert session.receive(OK + OK + NO + GO) == [BodyWanted(rider)]


def test_replies_for_two_mails_may_come_at_once() -> None:
    """The dot's is the first one's, the rest the rider's."""
    session, first = at_dot(ONE)
    rider = riding(session)
    assert session.receive(NO + OK + OK + GO) == [Finished(first), BodyWanted(rider)]
    assert first.signals == [(Stage.DOT, reply(NO))]


@pytest.mark.parametrize(
    "end, told",
    [
        (lambda session: session.fail(Fault.TIMEOUT), Fault.TIMEOUT),
        (lambda session: session.receive(BYE), reply(BYE)),
        (lambda session: session.receive(b"?\r\n"), Fault.GARBAGE),
    ],
    ids=["timeout", "421", "garbage"],
)
def test_a_rider_whose_connection_breaks_was_not_touched(
    end: Callable[[Session], list[Event]], told: Signal
) -> None:
    """The trouble is the first one's; the rider has met a closed connection, and the server has said nothing to it."""
    session, first = at_dot(ONE)
    rider = riding(session)
    assert end(session) == [Finished(first), Finished(rider)]
    assert first.signals == [(Stage.DOT, told)]
    assert rider.signals == [(Stage.MAIL, Fault.CLOSED)]
    assert rider.untouched


def test_a_missing_reply_is_found_at_the_next_354() -> None:
    """The rider's MAIL reply is read as the dot's; the shift shows where RCPT is answered 354, and the rider gets nothing."""
    session, first = at_dot(ONE)
    rider = riding(session)
    assert session.receive(OK + OK + GO) == [Finished(first), Finished(rider)]
    assert rider.signals == [(Stage.RCPT, Fault.GARBAGE)]
