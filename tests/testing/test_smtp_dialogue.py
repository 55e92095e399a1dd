"""The server's side of SMTP without a wire."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.testing.smtp_dialogue import Copy, Dialogue, Ledger, Offered
from galaxy_mail.testing.smtp_rules import (
    Deed,
    Moment,
    Output,
    Rule,
    close,
    drip,
    endless,
    garbage,
    giant_line,
    greylist,
    hang,
    inject_after_starttls,
    lines,
    reply,
    reset,
    silent,
    twice,
    usual_then_close,
)

MAIL = b"MAIL FROM:<a@b.example> SIZE=3\r\n"
ADA, BOB = b"RCPT TO:<ada@b.example>\r\n", b"RCPT TO:<bob@b.example>\r\n"
BODY = b"Message-ID: <1@b>\r\n\r\n..dot\r\n.\r\n"


def talk(
    *said: bytes, rules: tuple[Rule, ...] = (), offered: Offered | None = None
) -> tuple[list[Output], Ledger]:
    """All outputs for what a client says, and the ledger."""
    ledger = Ledger()
    dialogue = Dialogue(1, offered or Offered(), rules, ledger)
    outputs = [output for octets in said for output in dialogue.feed(octets)]
    return outputs, ledger


def codes(outputs: list[Output]) -> list[int]:
    """The codes of replies of one line each."""
    return [int(output[:3]) for output in outputs if isinstance(output, bytes)]


def test_a_mail_is_taken_in_and_written_down() -> None:
    """Envelope, parameters, octets as before dot-stuffing, Message-ID, queue id; and every command."""
    outputs, ledger = talk(MAIL + ADA + BOB + b"DATA\r\n", BODY)
    assert codes(outputs) == [250, 250, 250, 354, 250]
    assert outputs[-1] == b"250 2.0.0 Ok: queued as Q000001\r\n"
    (copy,) = ledger.copies
    assert copy == Copy(
        1,
        "a@b.example",
        ("ada@b.example", "bob@b.example"),
        b"Message-ID: <1@b>\r\n\r\n.dot\r\n",
        "Q000001",
        "SIZE=3",
    )
    assert copy.message_id == "1@b"
    assert [line.split()[0] for _, line in ledger.commands] == [b"MAIL", b"RCPT", b"RCPT", b"DATA"]


@given(st.lists(st.integers(0, 200), max_size=12))
def test_how_the_octets_are_cut_does_not_matter(cuts: list[int]) -> None:
    """Whole or in pieces, the same replies and the same copy."""
    said = MAIL + ADA + b"DATA\r\n" + BODY + MAIL + BOB + b"DATA\r\n.\r\nQUIT\r\n"
    edges = [0, *sorted(min(cut, len(said)) for cut in cuts), len(said)]
    pieces = [said[start:end] for start, end in pairwise(edges)]
    assert talk(*pieces) == talk(said)


def test_what_is_out_of_order_is_refused() -> None:
    """RCPT before MAIL, MAIL twice, DATA for nobody, verbs that nobody knows."""
    outputs, ledger = talk(ADA, MAIL, MAIL, b"DATA\r\n", b"EXPN x\r\n", b"\r\n")
    assert codes(outputs) == [503, 250, 503, 554, 502, 502]
    assert len(ledger.breaches) == 1


def test_a_client_that_pipelines_without_leave_is_written_down() -> None:
    """Where PIPELINING is not offered, a command behind another one is a breach."""
    _, ledger = talk(MAIL + ADA, offered=Offered(pipelining=False))
    assert ledger.breaches == [f"pipelined behind {MAIL[:-2]!r}"]
    _, ledger = talk(MAIL, ADA, offered=Offered(pipelining=False))
    assert ledger.breaches == []


def test_rset_and_ehlo_forget_the_envelope() -> None:
    """After either, MAIL may come again."""
    outputs, ledger = talk(MAIL, b"RSET\r\n", MAIL, b"EHLO me\r\n", MAIL, b"QUIT\r\n")
    assert codes(outputs) == [250, 250, 250, 250, 250, 221]
    assert outputs[-1] is Deed.CLOSE
    assert ledger.breaches == []


def test_offers_are_said_in_ehlo() -> None:
    """What is switched off is not offered."""
    all_off = Offered(pipelining=False, eight_bit=False, smtputf8=False, size=None)
    assert talk(b"EHLO me\r\n", offered=all_off)[0] == [
        b"250-scripted.example\r\n250 ENHANCEDSTATUSCODES\r\n"
    ]
    (said,) = talk(b"EHLO me\r\n", offered=Offered(starttls=True, auth=("PLAIN", "LOGIN"), size=7))[0]
    assert isinstance(said, bytes)
    for keyword in (b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"STARTTLS", b"SIZE 7", b"AUTH PLAIN LOGIN"):
        assert b"-" + keyword + b"\r\n" in said


def test_logins_are_welcome() -> None:
    """PLAIN in one step, LOGIN in two."""
    assert codes(talk(b"AUTH PLAIN AGEAYg==\r\n")[0]) == [235]
    assert codes(talk(b"AUTH LOGIN YQ==\r\n", b"Yg==\r\n")[0]) == [334, 235]


# --- rules ------------------------------------------------------------------------------------------------------------

USUAL = b"250 2.1.0 ok\r\n"


@pytest.mark.parametrize(
    "rule, outputs",
    [
        (reply(Moment.MAIL, 451, "4.3.0 a\nb"), [b"451-4.3.0 a\r\n451 b\r\n"]),
        (hang(Moment.MAIL), [Deed.HANG, USUAL]),
        (close(Moment.MAIL), [Deed.CLOSE]),
        (reset(Moment.MAIL), [Deed.RESET]),
        (usual_then_close(Moment.MAIL), [USUAL, Deed.CLOSE]),
        (garbage(Moment.MAIL), [b"\x16\x03\x01 <html>busy</html>\r\n"]),
        (giant_line(Moment.MAIL, octets=3), [b"250 xxx\r\n"]),
        (silent(Moment.MAIL), []),
        (twice(Moment.MAIL), [USUAL + USUAL]),
        (drip(Moment.MAIL), [bytes((octet,)) for octet in USUAL]),
        (reply(Moment.RCPT, 550), [USUAL]),
        (reply(Moment.MAIL, 550, nth=2), [USUAL]),
    ],
)
def test_each_misbehaviour_does_what_its_name_says(rule: Rule, outputs: list[Output]) -> None:
    """At its moment and no other, at its turn and no other."""
    assert talk(MAIL, rules=(rule,))[0] == outputs


def test_an_endless_reply_does_not_end() -> None:
    """However much is taken of it."""
    dialogue = Dialogue(1, Offered(), [endless(Moment.MAIL)], Ledger())
    assert len(list(islice(dialogue.feed(MAIL), 1_000))) == 1_000


def test_a_rule_may_be_for_one_recipient() -> None:
    """At RCPT for that address, at the dot for a mail to it; whatever its case."""
    rules = (reply(Moment.RCPT, 550, recipient="BOB@b.example"),)
    outputs, ledger = talk(MAIL + ADA + BOB + b"DATA\r\n", BODY, rules=rules)
    assert codes(outputs) == [250, 250, 550, 354, 250]
    assert ledger.copies[0].recipients == ("ada@b.example",)
    rules = (reply(Moment.DOT, 550, recipient="bob@b.example"),)
    both = MAIL + ADA + b"DATA\r\n" + BODY + MAIL + BOB + b"DATA\r\n" + BODY
    outputs, ledger = talk(both, rules=rules)
    assert codes(outputs)[3::4] == [250, 550]
    assert len(ledger.copies) == 1


def test_greylisting_lets_the_second_attempt_through() -> None:
    """Each recipient for itself."""
    outputs, _ = talk(MAIL, ADA, ADA, BOB, BOB, rules=(greylist(),))
    assert codes(outputs) == [250, 450, 250, 450, 250]


@pytest.mark.parametrize("act", [close, reset])
@pytest.mark.parametrize("keeps", [True, False])
def test_what_is_kept_without_a_reply_is_said_by_the_rule(act: Callable[..., Rule], keeps: bool) -> None:
    """A server that closes at the dot may have the mail or not."""
    _, ledger = talk(MAIL + ADA + b"DATA\r\n", BODY, rules=(act(Moment.DOT, keeps=keeps),))
    assert len(ledger.copies) == keeps


def test_a_refused_mail_is_not_kept() -> None:
    """By its code."""
    for code, kept in ((250, 1), (251, 1), (450, 0), (550, 0), (354, 0)):
        _, ledger = talk(MAIL + ADA + b"DATA\r\n", BODY, rules=(reply(Moment.DOT, code),))
        assert len(ledger.copies) == kept


def test_a_354_for_nobody_awaits_a_dot() -> None:
    """Where a rule says so, the lone dot of RFC 2920 section 3.1 is heard, and keeps nothing."""
    rules = (reply(Moment.RCPT, 550), reply(Moment.DATA, 354))
    outputs, ledger = talk(MAIL + ADA + b"DATA\r\n", b".\r\n", MAIL, rules=rules)
    assert codes(outputs) == [250, 550, 354, 554, 250]
    assert ledger.copies == []


def test_a_misbehaviour_in_the_body_comes_with_its_first_octets() -> None:
    """Not before the client has sent any."""
    dialogue = Dialogue(1, Offered(), [hang(Moment.BODY)], Ledger())
    before = list(dialogue.feed(MAIL + ADA + b"DATA\r\n"))
    assert Deed.HANG not in before
    assert Deed.HANG in list(dialogue.feed(b"a"))


def test_starttls_begins_tls_after_its_220_and_forgets_what_came_in_clear() -> None:
    """And is offered no more; a refusal begins nothing."""
    offered = Offered(starttls=True)
    outputs, _ = talk(b"STARTTLS\r\nMAIL FROM:<x@y.example>\r\n", b"EHLO me\r\n", offered=offered)
    assert outputs[:2] == [b"220 go ahead\r\n", Deed.START_TLS]
    assert isinstance(outputs[2], bytes)
    assert b"STARTTLS" not in outputs[2]
    assert codes(talk(b"STARTTLS\r\n")[0]) == [502]
    assert talk(b"STARTTLS\r\n", offered=offered, rules=(reply(Moment.STARTTLS, 454, "no"),))[0] == [
        b"454 no\r\n"
    ]
    rules = (inject_after_starttls(b"x"),)
    assert talk(b"STARTTLS\r\n", offered=offered, rules=rules)[0] == [b"220 go ahead\r\nx", Deed.START_TLS]


def test_the_ledger_finds_commands_by_verb() -> None:
    """In their order."""
    _, ledger = talk(MAIL, ADA, b"rcpt TO:<x@y.example>\r\n")
    assert ledger.said("RCPT") == [ADA[:-2], b"rcpt TO:<x@y.example>"]
    assert lines(250, "a") == b"250 a\r\n"
