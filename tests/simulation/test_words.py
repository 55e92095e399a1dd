"""The relay says every row of the verdict table."""

from __future__ import annotations

from galaxy_mail.domain.verdict_rules import Rule, key_of
from galaxy_mail.domain.verdict_table import RULES
from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage
from tests.simulation.words import WORDS, Word

GOES_ON: tuple[Word, ...] = (
    (Stage.DOT, SmtpReply(250, "2.0.0 Ok")),
    (Stage.RCPT, SmtpReply(250, "2.1.5 Ok")),
    (Stage.DATA, SmtpReply(354, "go ahead")),
)
NOT_THE_RELAYS: tuple[Word, ...] = (
    (Stage.ABANDONED, Fault.CLOSED),  # the store's
    (Stage.CONNECT, Fault.INTERNAL),  # bugs of adapters
    (Stage.DOT, Fault.INTERNAL),
    (Stage.LOCAL, Fault.INTERNAL),
    (Stage.LOCAL, Fault.EXPIRED),  # the gate's
    (Stage.LOCAL, Fault.CLAIM_LOST),
)


def rule_for(stage: Stage, signal: Signal) -> Rule:
    """The row that judges it."""
    text = signal.text if isinstance(signal, SmtpReply) else ""
    return next(rule for rule in RULES if rule.matches(stage, key_of(signal), text))


def test_every_row_of_the_table_is_said() -> None:
    """For each rule there is a word that it, and none before it, judges; so worlds meet all of them."""
    said = [(stage, signal) for stage, signals in WORDS.items() for signal in signals]
    met = {rule_for(*word).why + str(word[0]) for word in (*said, *GOES_ON, *NOT_THE_RELAYS)}
    unmet = [rule.why for rule in RULES if not any(rule.why + str(stage) in met for stage in rule.stages)]
    assert unmet == []
