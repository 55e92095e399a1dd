"""Every reply and every fault has one verdict; these laws hold for any reply whatever (real ones: ``test_real_replies``)."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.verdict_table import ABANDONED_VERDICT, classify
from galaxy_mail.domain.verdicts import (
    MAX_DETAIL_OCTETS,
    Blame,
    Breaker,
    Fault,
    Pace,
    Signal,
    SmtpReply,
    Stage,
    Verdict,
)
from tests.domain.said import codes, replies, short, signals, stages, texts

# --- silence and failures of our own ---------------------------------------------------------------------------------

TRANSPORT_FAULTS = (Fault.UNREACHABLE, Fault.TIMEOUT, Fault.CLOSED, Fault.GARBAGE)
BEFORE_DOT = [stage for stage in Stage if stage not in (Stage.DOT, Stage.ABANDONED)]


@pytest.mark.parametrize("stage", BEFORE_DOT)
@pytest.mark.parametrize(
    "faults, expected, breaker",
    [
        (TRANSPORT_FAULTS, "transient transport keep", Breaker.COUNT),
        (
            (Fault.TLS_FAILED, Fault.STARTTLS_MISSING, Fault.AUTH_MISSING, Fault.TOKEN_MISSING),
            "transient configuration keep",
            Breaker.OPEN,
        ),
        (
            (Fault.TOO_LARGE, Fault.SMTPUTF8_MISSING, Fault.UNRENDERABLE),
            "permanent message burn",
            Breaker.NONE,
        ),
        ((Fault.EXPIRED, Fault.CLAIM_LOST), "transient nobody keep", Breaker.NONE),
    ],
)
def test_a_fault_before_the_dot_means_the_same_anywhere(
    stage: Stage, faults: tuple[Fault, ...], expected: str, breaker: Breaker
) -> None:
    """Until the terminator's last octet can have left, a fault has one meaning, and it is not ambiguous."""
    verdicts = [classify(stage, fault) for fault in faults]
    assert {short(verdict) for verdict in verdicts} == {expected}
    assert {verdict.breaker for verdict in verdicts} == {breaker}


@pytest.mark.parametrize("stage", BEFORE_DOT)
def test_a_bug_of_ours_costs_a_mail_only_where_there_is_one(stage: Stage) -> None:
    """It may hang on this mail, and must not spin; but while a connection is made it hits all mails, and ends none."""
    verdict = classify(stage, Fault.INTERNAL)
    connecting = stage in (Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.AUTH)
    assert short(verdict) == ("transient transport keep" if connecting else "transient message burn")
    assert verdict.breaker is (Breaker.COUNT if connecting else Breaker.NONE)


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_at_the_dot_is_ambiguous_and_burns(fault: Fault) -> None:
    """Once the terminator's last octet may have left, no fault tells us whether the server has the mail (RFC 1047)."""
    blame = Blame.MESSAGE if fault is Fault.INTERNAL else Blame.TRANSPORT
    assert short(classify(Stage.DOT, fault)) == f"transient {blame} burn ambiguous"


@given(replies)
def test_a_reply_where_no_server_speaks_is_a_bug_of_ours(reply: SmtpReply) -> None:
    """Nobody replies before the network: whoever says so costs the mail an attempt, so that it cannot spin."""
    assert short(classify(Stage.LOCAL, reply)) == "transient message burn"


@given(signals)
def test_an_abandoned_attempt_is_ambiguous_and_burns_nothing(signal: Signal) -> None:
    """What a dead worker wrote may still arrive; abandoned claims are counted apart, so it burns no attempt."""
    assert short(classify(Stage.ABANDONED, signal)) == "transient nobody keep ambiguous"
    assert short(ABANDONED_VERDICT) == "transient nobody keep ambiguous"


# --- laws over everything --------------------------------------------------------------------------------------------

SERVER_STAGES = [stage for stage in Stage if stage not in (Stage.LOCAL, Stage.ABANDONED)]


def meaning(verdict: Verdict) -> Verdict:
    """The verdict without the evidence it quotes."""
    return attrs.evolve(verdict, code=None, enhanced=None, detail="")


@given(stages, signals)
def test_every_signal_has_a_verdict(stage: Stage, signal: Signal) -> None:
    """``classify`` is total and pure; its verdict names the stage and quotes the evidence."""
    verdict = classify(stage, signal)
    assert verdict == classify(stage, signal)
    assert verdict.stage is stage
    reply = signal if isinstance(signal, SmtpReply) else None
    assert verdict.code == (reply.code if reply else None)
    assert verdict.fault == (None if reply else signal)


@given(stages, signals)
def test_only_the_dot_and_an_abandoned_claim_are_ambiguous(stage: Stage, signal: Signal) -> None:
    """Ambiguity is a transient error at the dot, or an abandoned claim; a clean reply is never ambiguous."""
    verdict = classify(stage, signal)
    if verdict.ambiguous:
        assert stage in (Stage.DOT, Stage.ABANDONED)
        assert verdict.outcome is AttemptOutcome.TRANSIENT_ERROR
    if stage is Stage.DOT and isinstance(signal, SmtpReply):
        assert verdict.ambiguous == (signal.code // 100 not in (2, 4, 5))


@given(stages, signals)
def test_success_is_a_reply_that_says_so(stage: Stage, signal: Signal) -> None:
    """Success is a 2xx to the dot, a 250, 251 or 252 to RCPT, a 354 to DATA, and nothing else."""
    code = signal.code if isinstance(signal, SmtpReply) else 0
    says_so = {
        Stage.DOT: 200 <= code <= 299,
        Stage.RCPT: code in (250, 251, 252),
        Stage.DATA: code == 354,
    }
    assert classify(stage, signal).accepted == says_so.get(stage, False)


@given(stages, signals)
def test_permanent_is_our_own_fault_or_a_5xx(stage: Stage, signal: Signal) -> None:
    """Nothing is given up for good unless the mail cannot be sent at all, or a server said 5xx once a mail was named."""
    verdict = classify(stage, signal)
    if verdict.outcome is AttemptOutcome.PERMANENT_ERROR:
        assert verdict.burns_attempt
        if isinstance(signal, SmtpReply):
            assert 500 <= signal.code <= 599
            assert stage in (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT)
        else:
            assert signal in (Fault.TOO_LARGE, Fault.SMTPUTF8_MISSING, Fault.UNRENDERABLE)


@given(stages, signals)
def test_an_outage_burns_nothing_and_ends_nothing(stage: Stage, signal: Signal) -> None:
    """Connect, greeting, EHLO, TLS and AUTH cost a mail no attempt, whatever they say; neither does a 421 (P7)."""
    verdict = classify(stage, signal)
    opening = stage in (Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.AUTH)
    closing = stage in SERVER_STAGES and isinstance(signal, SmtpReply) and signal.code == 421
    if closing or (opening and isinstance(signal, SmtpReply)):
        assert short(verdict).startswith("transient ")
        assert not verdict.burns_attempt


@given(stages, signals)
def test_configuration_is_never_the_mails_fault(stage: Stage, signal: Signal) -> None:
    """What our settings are to blame for burns no attempt and opens the breaker, and nothing else but a closed host does."""
    verdict = classify(stage, signal)
    if verdict.blame is Blame.CONFIGURATION:
        assert (verdict.outcome, verdict.burns_attempt) == (AttemptOutcome.TRANSIENT_ERROR, False)
        assert verdict.breaker is Breaker.OPEN
    elif verdict.breaker is Breaker.OPEN:
        assert verdict.code in (521, 554)


@given(stages, signals)
def test_only_success_is_nobodys_doing_at_a_server(stage: Stage, signal: Signal) -> None:
    """A reply that is no success has somebody to blame; a success has nobody."""
    verdict = classify(stage, signal)
    if verdict.accepted:
        assert verdict.blame is Blame.NOBODY
    elif isinstance(signal, SmtpReply) and stage is not Stage.ABANDONED:
        assert verdict.blame is not Blame.NOBODY


@given(stages, codes, texts, st.integers(0, 999), st.integers(0, 999))
def test_an_enhanced_code_that_disagrees_changes_nothing(
    stage: Stage, code: int, text: str, subject: int, detail: int
) -> None:
    """An enhanced code of another class than the reply's is as good as none, given or in the text."""
    bare = classify(stage, SmtpReply(code, text, enhanced=""))
    for digit in {"2", "4", "5"} - {str(code)[0]}:
        other = f"{digit}.{subject}.{detail}"
        assert classify(stage, SmtpReply(code, text, enhanced=other)) == bare
        said = classify(stage, SmtpReply(code, f"{other} {text}"))
        assert meaning(said) == meaning(bare)
        assert said.enhanced is None


@given(stages, replies)
@example(Stage.RCPT, SmtpReply(450, "4.2.0 <rate@example.org>: Greylisted"))
def test_words_never_change_an_outcome(stage: Stage, reply: SmtpReply) -> None:
    """Whoever writes the text can shift blame and pace; outcome and ambiguity hang on the codes alone."""
    spoken = classify(stage, attrs.evolve(reply, enhanced=reply.agreed_enhanced or ""))
    silent = classify(stage, attrs.evolve(reply, enhanced=reply.agreed_enhanced or "", text=""))
    assert (spoken.outcome, spoken.ambiguous) == (silent.outcome, silent.ambiguous)


@given(stages, signals)
def test_an_odd_pace_has_its_reason(stage: Stage, signal: Signal) -> None:
    """Only an overfull transaction goes on at once, only a full mailbox waits long, and both stand at RCPT."""
    verdict = classify(stage, signal)
    if verdict.pace is Pace.AT_ONCE:
        assert (stage, verdict.blame, verdict.burns_attempt) == (Stage.RCPT, Blame.ENVELOPE, False)
    if verdict.pace is Pace.LONG:
        assert (stage, verdict.blame, verdict.burns_attempt) == (Stage.RCPT, Blame.RECIPIENT, True)
    assert (verdict.blame is Blame.ENVELOPE) == (verdict.pace is Pace.AT_ONCE)


@given(stages, replies)
@example(Stage.DOT, SmtpReply(550, "é" * 1000))
@example(Stage.DOT, SmtpReply(550, "\r\n\x1b[2J\u202e\x00\ud800\\"))
def test_detail_is_one_short_line_of_plain_characters(stage: Stage, reply: SmtpReply) -> None:
    """What a stranger wrote reaches logs and rows as at most 512 printable ASCII octets."""
    detail = classify(stage, reply).detail
    assert len(detail) <= MAX_DETAIL_OCTETS
    assert all(" " <= character <= "~" for character in detail)


def test_detail_keeps_what_is_plain_and_shows_what_is_not() -> None:
    """Lines are set apart by a bar; what is escaped can be read back."""
    reply = SmtpReply(550, "5.7.1 no\n5.7.1 way: naïve \x07 \\")
    assert classify(Stage.DOT, reply).detail == r"5.7.1 no | 5.7.1 way: na\xefve \x07 \\"


# --- the breaker's column --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stage, code, text, breaker",
    [
        (Stage.GREETING, 421, "", Breaker.COUNT),
        (Stage.GREETING, 550, "", Breaker.COUNT),
        (Stage.GREETING, 554, "", Breaker.OPEN),
        (Stage.EHLO, 521, "", Breaker.OPEN),
        (Stage.TLS, 454, "", Breaker.COUNT),
        (Stage.TLS, 501, "", Breaker.OPEN),
        (Stage.AUTH, 535, "", Breaker.OPEN),
        (Stage.MAIL, 451, "", Breaker.COUNT),
        (Stage.MAIL, 450, "4.1.8", Breaker.COUNT),
        (Stage.MAIL, 550, "", Breaker.OPEN),
        (Stage.MAIL, 552, "5.3.4", Breaker.NONE),
        (Stage.RCPT, 250, "", Breaker.NONE),
        (Stage.RCPT, 450, "", Breaker.NONE),
        (Stage.RCPT, 421, "", Breaker.COUNT),
        (Stage.RCPT, 550, "5.1.1", Breaker.NONE),
        (Stage.RCPT, 550, "5.7.1", Breaker.CORRELATE),
        (Stage.RCPT, 452, "4.5.3", Breaker.NONE),
        (Stage.RCPT, 450, "4.7.28", Breaker.SLOW),
        (Stage.DATA, 450, "too many messages", Breaker.SLOW),
        (Stage.DATA, 354, "", Breaker.NONE),
        (Stage.DATA, 250, "", Breaker.COUNT),
        (Stage.DOT, 250, "", Breaker.RESET),
        (Stage.DOT, 421, "", Breaker.COUNT),
        (Stage.DOT, 450, "", Breaker.NONE),
        (Stage.DOT, 554, "5.7.1", Breaker.CORRELATE),
        (Stage.DOT, 354, "", Breaker.COUNT),
    ],
)
def test_the_breaker_is_told(stage: Stage, code: int, text: str, breaker: Breaker) -> None:
    """What the transport's breaker shall do is part of the verdict."""
    assert classify(stage, SmtpReply(code, text)).breaker is breaker


@pytest.mark.parametrize("code", [452, 552])
def test_too_many_recipients_is_said_by_either_code(code: int) -> None:
    """RFC 5321 section 4.5.3.1.10 wants 452 and warns of 552; the rest go in a next transaction at once."""
    assert classify(Stage.RCPT, SmtpReply(code, "Too many recipients")).pace is Pace.AT_ONCE
    assert classify(Stage.RCPT, SmtpReply(code, f"{code // 100}.5.3 no more")).pace is Pace.AT_ONCE


@pytest.mark.parametrize("text", ["", "mailbox full", "5.2.2 over quota"])
def test_a_full_mailbox_is_tried_again_after_long(text: str) -> None:
    """People clear their mailboxes: transient, and not tried at the usual pace."""
    assert classify(Stage.RCPT, SmtpReply(552, text)).pace is Pace.LONG
