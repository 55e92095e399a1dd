"""When the relay is left alone: what verdicts say of it, and how many of them make an outage."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.outages import RELAY, BreakerPolicy, Sign, Streak, excused, scope_of, sign_of
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Blame, Breaker, Fault, Receipt, SmtpReply, Stage
from tests.domain.said import signals

SENDER = EmailAddress("no-reply", "example.org")
POLICY = BreakerPolicy(failures=3, doubts=4)
TROUBLE = (Sign.FAILS, Sign.DOUBTFUL)


@given(stage=st.sampled_from(Stage), signal=signals)
def test_every_verdict_is_a_sign(stage: Stage, signal: SmtpReply | Fault) -> None:
    """Total; and where no server has spoken and none was asked, it is a sign of nothing."""
    verdict = classify(stage, signal)
    assert sign_of(verdict) in Sign
    if stage is Stage.LOCAL and isinstance(signal, Fault) and verdict.breaker is Breaker.NONE:
        assert sign_of(verdict) is Sign.NOTHING


def test_who_refuses_a_recipient_works() -> None:
    """A list of dead addresses is no outage."""
    for reply in (SmtpReply(550, "5.1.1 no such user"), SmtpReply(450, "4.7.1 greylisted")):
        assert sign_of(classify(Stage.RCPT, reply)) is Sign.WORKS
    assert sign_of(classify(Stage.DOT, SmtpReply(250, "ok"))) is Sign.WORKS
    assert sign_of(classify(Stage.LOCAL, Fault.CLAIM_LOST)) is Sign.NOTHING


def test_a_refused_sender_concerns_its_own_mails_alone() -> None:
    """But a login that is asked for concerns all."""
    refused = classify(Stage.MAIL, SmtpReply(553, "5.7.1 sender not owned by user"))
    told_late = classify(Stage.RCPT, SmtpReply(550, "5.1.8 bad sender"))
    assert {scope_of(refused, SENDER), scope_of(told_late, SENDER)} == {"no-reply@example.org"}
    for stage, signal in (
        (Stage.MAIL, SmtpReply(530, "5.7.0 log in first")),
        (Stage.AUTH, SmtpReply(535, "5.7.8 no")),
        (Stage.CONNECT, Fault.UNREACHABLE),
        (Stage.RCPT, SmtpReply(554, "5.7.1 your reputation")),
    ):
        assert scope_of(classify(stage, signal), SENDER) == RELAY


@given(signs=st.lists(st.sampled_from(Sign), max_size=30))
def test_an_outage_is_enough_trouble_in_a_row(signs: list[Sign]) -> None:
    """Against a model: count from the last sign that it works."""
    streak = Streak()
    for sign in signs:
        streak = streak.after(sign, 0.0, POLICY)
    good = [i for i, sign in enumerate(signs) if sign in (Sign.WORKS, Sign.BUSY)]
    since = signs[good[-1] + 1 :] if good else signs
    failures, doubts = (since.count(sign) for sign in TROUBLE)
    assert streak.broken(POLICY) == (failures >= POLICY.failures or doubts >= POLICY.doubts)
    assert streak.doubtful(POLICY) == (doubts >= POLICY.doubts)


def test_refusals_by_policy_far_apart_are_those_of_single_mails() -> None:
    """One a day is not us."""
    streak = Streak()
    for day in range(20):
        streak = streak.after(Sign.DOUBTFUL, day * 86400.0, POLICY)
    assert not streak.broken(POLICY)


@given(st.lists(st.tuples(st.sampled_from((Stage.RCPT, Stage.DOT)), signals), min_size=1, max_size=5))
def test_what_is_excused_may_try_again_unburned(said: list[tuple[Stage, SmtpReply | Fault]]) -> None:
    """Only what a policy refused; every other recipient's verdict stays as it is, and so does the evidence."""
    receipt = Receipt(tuple(classify(stage, signal) for stage, signal in said))
    for before, after in zip(receipt.verdicts, excused(receipt).verdicts, strict=True):
        assert (before.code, before.detail, before.stage) == (after.code, after.detail, after.stage)
        if before.breaker is Breaker.CORRELATE:
            assert (after.outcome, after.blame) == (AttemptOutcome.TRANSIENT_ERROR, Blame.CONFIGURATION)
            assert not after.burns_attempt
        else:
            assert after == before
