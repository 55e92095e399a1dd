"""The session talked to line by line; how a scripted server and any cutting fare is in the modules beside this one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from galaxy_mail.adapters.smtp.session import BLOCK_OCTETS, Session
from galaxy_mail.adapters.smtp.transaction import BodyWanted, Event, Finished, Transaction
from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage

MAIL, RCPT, RCPT2, DATA = b"MAIL FROM:<a>\r\n", b"RCPT TO:<b>\r\n", b"RCPT TO:<c>\r\n", b"DATA\r\n"
ONE, TWO = [MAIL, RCPT, DATA], [MAIL, RCPT, RCPT2, DATA]
OK, GO = b"250 ok\r\n", b"354 go\r\n"
NO, LATER, BYE = b"550 no\r\n", b"450 later\r\n", b"421 bye\r\n"
BODY = b"hello\r\n.\r\n"


def reply(octets: bytes) -> SmtpReply:
    """The reply that these octets are."""
    return SmtpReply(int(octets[:3]), octets[4:-2].decode())


def begun(lines: list[bytes], *, pipelining: bool = True) -> tuple[Session, Transaction]:
    """A session with one mail under way, whose first commands are written."""
    session = Session(pipelining=pipelining)
    transaction = session.begin(lines)
    session.take_outgoing()
    return session, transaction


def in_body(lines: list[bytes]) -> tuple[Session, Transaction]:
    """A session that has been told to send a body."""
    session, transaction = begun(lines)
    assert session.receive(OK * (len(lines) - 1) + GO) == [BodyWanted(transaction)]
    session.open_body(transaction, BODY)
    return session, transaction


def at_dot(lines: list[bytes]) -> tuple[Session, Transaction]:
    """A session whose body and dot are written."""
    session, transaction = in_body(lines)
    assert session.next_block() == BODY
    return session, transaction


def riding(session: Session) -> Transaction:
    """A mail whose commands are written behind the dot."""
    rider = session.begin(ONE)
    assert session.take_outgoing() == b"".join(ONE)
    return rider


def signals(events: list[Event]) -> list[list[tuple[Stage, Signal] | None]]:
    """What the transactions learnt that are finished by these events."""
    return [event.transaction.signals for event in events if isinstance(event, Finished)]


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


# --- out of step ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before, answer, stage",
    [
        (b"", b"354 go\r\n", Stage.MAIL),
        (b"", b"251 forwarded\r\n", Stage.MAIL),
        (b"", b"hello\r\n", Stage.MAIL),
        (OK, b"354 go\r\n", Stage.RCPT),
        (OK, b"220 hi\r\n", Stage.RCPT),
        (OK, NO + b"354 go\r\n", Stage.RCPT),
        (NO, OK, Stage.RCPT),
        (OK * 3, OK, Stage.DATA),
        (OK * 3, b"334 more\r\n", Stage.DATA),
        (OK * 3, GO + OK, Stage.DATA),
        (OK * 3, GO + b"2", Stage.DATA),
        (OK + NO * 2, OK, Stage.DATA),
        (OK + NO * 2 + b"554 nobody\r\n", GO, Stage.DATA),
        (OK + NO * 2 + b"554 nobody\r\n", b"503 eh\r\n", Stage.DATA),
    ],
)
def test_before_the_proof_of_step_nothing_is_believed(before: bytes, answer: bytes, stage: Stage) -> None:
    """A reply that its command cannot have, or one too many: every recipient has GARBAGE, refused or not."""
    session, _ = begun(TWO)
    events = session.receive(before + answer)
    assert signals(events) == [[(stage, Fault.GARBAGE)] * 2]
    assert len(events) == 1
    assert not session.open
    assert session.take_outgoing() == b""


@pytest.mark.parametrize("answer", [GO, b"503 eh\r\n", b"xyz\r\n"])
def test_rset_answered_by_anything_but_a_2xx_takes_the_refusals_back(answer: bytes) -> None:
    """Each was read one place too early: nobody knows whom it was for."""
    session, _ = begun(TWO)
    session.receive(OK + OK + NO + NO)
    assert session.take_outgoing() == b"RSET\r\n"
    assert signals(session.receive(answer)) == [[(Stage.DATA, Fault.GARBAGE)] * 2]
    assert not session.open


@pytest.mark.parametrize("answer", [b"354 again\r\n", b"xyz\r\n", b"199 soon\r\n", b"250-a\r\n251 b\r\n"])
def test_at_the_dot_only_the_accepted_are_in_doubt(answer: bytes) -> None:
    """The 354 in its place has proved the refusals before it."""
    session, transaction = begun(TWO)
    session.receive(OK + NO + OK + GO)
    session.open_body(transaction, BODY)
    session.next_block()
    assert signals(session.receive(answer)) == [[(Stage.RCPT, reply(NO)), (Stage.DOT, Fault.GARBAGE)]]
    assert not session.open


def test_a_surplus_behind_the_reply_to_the_dot_closes_and_the_reply_stands() -> None:
    """What follows a complete reply cannot take it back."""
    session, _ = at_dot(ONE)
    assert signals(session.receive(OK + OK)) == [[(Stage.DOT, reply(OK))]]
    assert not session.open


@pytest.mark.parametrize("said", [b"421 idle for too long\r\n", b"250 ok\r\n", b"x", b"\n"])
def test_whatever_an_idle_connection_says_ends_it(said: bytes) -> None:
    """Nobody has asked."""
    session = Session(pipelining=True)
    assert session.receive(said) == []
    assert not session.open


def test_a_closed_session_learns_nothing_more() -> None:
    """Neither octets nor a second failure bring an event."""
    session, _ = begun(ONE)
    assert len(session.fail(Fault.CLOSED)) == 1
    assert session.receive(OK * 2 + GO) == session.fail(Fault.TIMEOUT) == []


# --- 421, and errors while the body goes out --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before, stage", [(b"", Stage.MAIL), (OK, Stage.RCPT), (OK * 3, Stage.DATA)], ids=["MAIL", "RCPT", "DATA"]
)
def test_421_answers_everything(before: bytes, stage: Stage) -> None:
    """It closes the connection, whatever it was that it was said to (RFC 5321 section 3.8)."""
    session, _ = begun(TWO)
    assert signals(session.receive(before + BYE)) == [[(stage, reply(BYE))] * 2]
    assert not session.open


def test_421_to_the_dot_is_its_reply() -> None:
    """It is clean, and so not in doubt."""
    session, _ = at_dot(ONE)
    assert signals(session.receive(BYE)) == [[(Stage.DOT, reply(BYE))]]
    assert not session.open


@pytest.mark.parametrize("answer", [b"552 5.3.4 too big\r\n", BYE])
def test_an_error_while_the_body_goes_out_answers_the_mail(answer: bytes) -> None:
    """Nothing more goes out, not even in the middle of what the server says."""
    session, transaction = in_body(ONE)
    assert session.receive(answer[:2]) == []
    assert not session.body_ready
    assert signals(session.receive(answer[2:])) == [[(Stage.BODY, reply(answer))]]
    assert not session.open
    assert transaction.decided


def test_a_success_before_the_dot_is_none() -> None:
    """A 250 while the body goes out is another command's, or nobody's."""
    session, _ = in_body(ONE)
    assert signals(session.receive(OK)) == [[(Stage.BODY, Fault.GARBAGE)]]


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
