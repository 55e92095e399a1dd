"""Replies that cannot be, replies too many, 421, and errors while the body goes out."""

from __future__ import annotations

import pytest

from galaxy_mail.adapters.smtp.session import Session
from galaxy_mail.domain.verdicts import Fault, Stage
from tests.adapters.smtp.lines import (
    BODY,
    BYE,
    GO,
    NO,
    OK,
    ONE,
    TWO,
    at_dot,
    begun,
    in_body,
    reply,
    signals,
)


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
