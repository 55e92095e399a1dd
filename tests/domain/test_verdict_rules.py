"""How a rule is read, and when it matches (those of a deployment: ``test_verdict_overrides``)."""

from __future__ import annotations

import attrs
import pytest

from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.errors import InvalidInput
from galaxy_mail.domain.verdict_rules import Rule
from galaxy_mail.domain.verdicts import Blame, Breaker, Pace, SmtpReply, Stage

# --- enhanced codes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply, agreed",
    [
        (SmtpReply(550, "5.1.1 no"), "5.1.1"),
        (SmtpReply(550, "5.1.1"), "5.1.1"),
        (SmtpReply(550, "5.7.606 no"), "5.7.606"),
        (SmtpReply(550, "5.1.1: no"), "5.1.1"),
        (SmtpReply(550, "no", enhanced="5.1.1"), "5.1.1"),
        (SmtpReply(550, "5.1.1 no", enhanced="5.7.1"), "5.7.1"),
        (SmtpReply(550, "5.1.1 no", enhanced=""), None),
        (SmtpReply(550, "4.1.1 no"), None),
        (SmtpReply(550, "no 5.1.1"), None),
        (SmtpReply(550, "no (#5.1.1)"), None),
        (SmtpReply(550, "5.1.1.2 is an address"), None),
        (SmtpReply(550, "5.1.1234 no"), None),
        (SmtpReply(550, "5.1 no"), None),
        (SmtpReply(550, "5.\u0661.1 no"), None),
        (SmtpReply(354, "3.0.0 go"), None),
    ],
)
def test_an_enhanced_code_counts_if_it_agrees(reply: SmtpReply, agreed: str | None) -> None:
    """It is taken as given, else from the very beginning of the text, and only if its class is the reply's."""
    assert reply.agreed_enhanced == agreed


# --- rules -----------------------------------------------------------------------------------------------------------

PARKED = Rule(
    stages=frozenset({Stage.RCPT}),
    signals="550/5.4.1 551",
    outcome=AttemptOutcome.TRANSIENT_ERROR,
    blame=Blame.POLICY,
    burns=True,
    breaker=Breaker.NONE,
    why="this relay says so while a new domain is being set up",
    pace=Pace.LONG,
)


def test_words_narrow_a_rule() -> None:
    """Words are found in any case, anywhere in the text, but not in an address or beyond the first 512 characters."""
    rule = attrs.evolve(PARKED, signals="5xx", words="parked")

    def parked(text: str) -> bool:
        return rule.matches(Stage.RCPT, "550/-", text)

    assert parked("domain is Parked")
    assert not parked("no such user")
    assert not parked("<parked@example.org>: no such user")
    assert not parked("x" * 512 + "parked")


@pytest.mark.parametrize(
    "signals", ["", " ", "55", "5x0", "650", "5.1", "3.1.1", "550/", "550/5", "-", "nonsense", "4xx,5xx"]
)
def test_a_rule_that_cannot_be_read_is_refused(signals: str) -> None:
    """A typing error is an error that names the field, not a rule that never matches."""
    with pytest.raises(InvalidInput, match=r"^signals: "):
        attrs.evolve(PARKED, signals=signals)


def test_words_that_are_no_pattern_are_refused() -> None:
    """So is a regular expression that cannot be compiled."""
    with pytest.raises(InvalidInput, match=r"^words: "):
        attrs.evolve(PARKED, words="(")


@pytest.mark.parametrize(
    "signals, matching, other",
    [
        ("421", ["421/-", "421/4.7.0"], ["422/-", "4210/-"]),
        ("4xx", ["400/-", "499/4.1.1"], ["500/-", "timeout", "4000/-", "-421/-"]),
        ("45x", ["450/-", "459/4.2.0"], ["460/-"]),
        ("552/-", ["552/-"], ["552/5.2.2"]),
        ("5xx/-", ["552/-", "550/-"], ["552/5.2.2", "452/-"]),
        ("552/5.3.4", ["552/5.3.4"], ["552/-", "554/5.3.4", "552/5.3.40"]),
        ("5.7.x", ["550/5.7.1", "554/5.7.606"], ["550/5.17.1", "550/-", "50/5.7.1", "5000/5.7.1"]),
        ("timeout closed", ["timeout", "closed"], ["garbage", "421/-"]),
        ("any", ["timeout", "0/-", "250/2.0.0"], []),
    ],
)
def test_signals_match_what_they_say(signals: str, matching: list[str], other: list[str]) -> None:
    """Each form of a signal matches whole keys of its kind and no others."""
    rule = attrs.evolve(PARKED, signals=signals)
    assert all(rule.matches(Stage.RCPT, key, "") for key in matching)
    assert not any(rule.matches(Stage.RCPT, key, "") for key in other)
