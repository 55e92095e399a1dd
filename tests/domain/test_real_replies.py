"""The replies of real servers mean what ``real_replies.txt`` says."""

from __future__ import annotations

from itertools import product

import pytest

from galaxy_mail.domain.verdict_rules import Rule, key_of
from galaxy_mail.domain.verdict_table import RULES, classify
from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage
from tests.domain.said import CASES, Case, short, text_of


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.server}-{case.stage}-{case.reply.code}")
def test_a_real_reply_has_its_verdict(case: Case) -> None:
    """Each reply of the data file means what stands behind it."""
    assert short(classify(case.stage, case.reply)) == case.expected


def test_there_are_real_replies_of_many_servers() -> None:
    """The data file holds at least 300 replies, of at least 12 families of servers, none twice in one."""
    assert len(CASES) >= 300
    assert len({case.server for case in CASES}) >= 12
    assert len(set(CASES)) == len(CASES)


@pytest.mark.parametrize(
    "rule", RULES, ids=lambda rule: f"{'+'.join(sorted(rule.stages))[:20]}-{rule.signals}"
)
def test_no_rule_is_dead(rule: Rule) -> None:
    """Each row decides something: a real reply, or a fault."""
    asked: list[tuple[Stage, Signal]] = [(case.stage, case.reply) for case in CASES]
    asked += product(Stage, Fault)
    asked += [(Stage.LOCAL, SmtpReply(250)), (Stage.RCPT, SmtpReply(450, "4.7.28 slow down"))]
    deciding = [
        next(r for r in RULES if r.matches(stage, key_of(said), text_of(said))) for stage, said in asked
    ]
    assert any(rule is decided for decided in deciding)
