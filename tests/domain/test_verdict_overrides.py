"""A deployment's own rules: how their lines are read, what they change, and what they never can."""

from __future__ import annotations

from itertools import product

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.errors import InvalidInput, InvalidSettings
from galaxy_mail.domain.verdict_overrides import objections, parse_overrides
from galaxy_mail.domain.verdict_rules import Rule, key_of
from galaxy_mail.domain.verdict_table import ABANDONED_VERDICT, VerdictTable, classify
from galaxy_mail.domain.verdicts import Blame, Breaker, Fault, Pace, Signal, SmtpReply, Stage, Verdict
from tests.domain.said import CASES, replies, short, signals, stages, text_of

PARKED = "rcpt 550/5.4.1 551 -> transient policy burn long  # so it says while a new domain is being set up"

# --- lines -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, stage, code, text, expected, pace, breaker",
    [
        (PARKED, "rcpt", 551, "", "transient policy burn", Pace.LONG, Breaker.CORRELATE),
        ("rcpt 5.7.606 -> transient policy keep", "rcpt", 550, "5.7.606 banned", "transient policy keep", Pace.USUAL, Breaker.CORRELATE),
        ("rcpt dot 4.2.2 -> permanent recipient burn", "dot", 452, "4.2.2 full", "permanent recipient burn", Pace.USUAL, Breaker.NONE),
        ("dot 554/- -> transient transport keep", "dot", 554, "Transaction failed", "transient transport keep", Pace.USUAL, Breaker.COUNT),
        ("dot 45x -> transient throttle burn # hm, ok -> no", "dot", 454, "", "transient throttle burn", Pace.USUAL, Breaker.SLOW),
        ("mail 550 -> permanent message burn", "mail", 550, "5.7.1 no", "permanent message burn", Pace.USUAL, Breaker.NONE),
        ("auth 535 -> transient throttle keep", "auth", 535, "5.7.8 busy", "transient throttle keep", Pace.USUAL, Breaker.SLOW),
        ("greeting 554 -> keep configuration transient", "greeting", 554, "", "transient configuration keep", Pace.USUAL, Breaker.OPEN),
        ("5xx   rcpt->permanent\tmessage burn usual#", "rcpt", 599, "", "permanent message burn", Pace.USUAL, Breaker.NONE),
        ("rcpt 421 -> transient envelope keep at_once", "rcpt", 421, "4.7.0 enough", "transient envelope keep", Pace.AT_ONCE, Breaker.NONE),
    ],
)  # fmt: skip
def test_a_line_changes_what_a_refusal_means(
    line: str, stage: str, code: int, text: str, expected: str, pace: Pace, breaker: Breaker
) -> None:
    """The words of a line come in any order on either side of the arrow; the breaker learns what fits the blame."""
    table = VerdictTable(parse_overrides([line]))
    verdict = table.classify(Stage(stage), SmtpReply(code, text))
    assert (short(verdict), verdict.pace, verdict.breaker) == (expected, pace, breaker)
    assert verdict != classify(Stage(stage), SmtpReply(code, text)), "the table says so anyway"


def test_a_line_speaks_of_nothing_else() -> None:
    """Another reply, another stage: the table decides as before."""
    table = VerdictTable(parse_overrides([PARKED]))
    for stage, reply in ((Stage.RCPT, SmtpReply(550, "5.1.1 no")), (Stage.DOT, SmtpReply(551))):
        assert table.classify(stage, reply) == classify(stage, reply)


def test_the_first_line_that_matches_decides() -> None:
    """Lines are ordered like the table."""
    narrow, wide = "rcpt 550/5.7.606 -> transient policy keep", "rcpt 550 -> permanent policy burn"
    banned = SmtpReply(550, "5.7.606 Access denied, banned sending IP")
    for lines, expected in (
        ([narrow, wide], "transient policy keep"),
        ([wide, narrow], "permanent policy burn"),
    ):
        assert short(VerdictTable(parse_overrides(lines)).classify(Stage.RCPT, banned)) == expected


def test_a_reason_is_kept() -> None:
    """What stands behind the number sign is the rule's reason; without one, it says whose rule it is."""
    named, unnamed = parse_overrides([PARKED, "rcpt 551 -> transient policy keep #"])
    assert named.why == "so it says while a new domain is being set up"
    assert unnamed.why == "this deployment says so"


@pytest.mark.parametrize(
    "line, problems",
    [
        ("rcpt 550 -> permanent recipient burn long", ["has a pace for what is not tried again"]),
        ("", ["no ->"]),
        ("# rcpt 550 -> transient policy keep", ["no ->"]),
        ("rcpt 550 transient policy keep", ["no ->"]),
        ("->", ["names no stage", "names no reply", "one of transient", "one of transport", "one of burn"]),
        ("rcpt -> transient policy keep", ["names no reply"]),
        ("550 -> transient policy keep", ["names no stage: greeting"]),
        ("rctp 550 -> transient policy keep", ["'rctp', which is no stage", "names no stage"]),
        ("rcpt 250 -> transient policy keep", ["'250'"]),
        ("rcpt 2xx 354 -> transient policy keep", ["'2xx'", "'354'"]),
        ("rcpt 55 5x0 650 550/ 550/5 -> transient policy keep", ["'55'", "'5x0'", "'650'", "'550/'", "'550/5'"]),
        ("rcpt 550/4.1.1 -> transient policy keep", ["'550/4.1.1'"]),
        ("rcpt timeout -> transient policy keep", ["'timeout'"]),
        ("dot any -> permanent policy burn", ["'any'"]),
        ("local 550 -> transient policy keep", ["'local'", "names no stage"]),
        ("abandoned 550 -> transient policy keep", ["'abandoned'", "names no stage"]),
        ("rcpt 550 -> success nobody burn", ["'success'", "'nobody'", "one of transient, permanent", "one of transport"]),
        ("rcpt 550 -> transient permanent policy keep", ["needs one of transient, permanent"]),
        ("rcpt 550 -> transient policy", ["needs one of burn, keep"]),
        ("rcpt 550 -> transient policy keep long at_once", ["at most one of usual, at_once, long"]),
        ("rcpt 550 -> transient policy keep -> burn", ["'->'", "one of burn, keep"]),
        ("auth 535 -> permanent configuration burn", ["before any is named"]),
        ("rcpt ehlo 550 -> transient policy burn", ["before any is named"]),
        ("rcpt 550 -> permanent configuration burn", ["pay for our configuration"]),
        ("rcpt 550 -> permanent recipient keep", ["does not count"]),
    ],
)  # fmt: skip
def test_every_word_that_is_wrong_is_named(line: str, problems: list[str]) -> None:
    """A line that cannot be read, or may not be, is named by its number, and so is the word."""
    with pytest.raises(InvalidSettings) as refused:
        parse_overrides([PARKED, line])
    assert len(refused.value.problems) == len(problems)
    for told, expected in zip(refused.value.problems, problems, strict=True):
        assert told.startswith("verdicts: line 2 ")
        assert expected in told


def test_all_lines_are_read_before_one_is_refused() -> None:
    """One error tells of every line; whatever stands in them, it is told in plain characters and briefly."""
    with pytest.raises(InvalidSettings) as refused:
        parse_overrides(["rcpt \x1b[2J550 -> transient policy keep", PARKED, f"rcpt {'x' * 500} -> keep"])
    assert [problem[:16] for problem in refused.value.problems] == ["verdicts: line 1"] + [
        "verdicts: line 3"
    ] * 3
    assert all(problem.isprintable() and len(problem) < 200 for problem in refused.value.problems)


@pytest.mark.parametrize("lines", [PARKED, [7], [None, PARKED]])
def test_lines_are_a_list_of_text(lines: list[str]) -> None:
    """One line alone is not read letter by letter."""
    with pytest.raises(InvalidSettings, match="verdicts: must be a list of lines"):
        parse_overrides(lines)


@given(
    st.lists(st.text() | st.from_regex(r"(rcpt|dot|550|->|transient|policy|keep|#| ){1,12}", fullmatch=True))
)
def test_any_lines_are_rules_or_problems(lines: list[str]) -> None:
    """Whatever is typed is read, or refused with what is wrong, and never anything else."""
    try:
        read, problems = len(parse_overrides(lines)), 0
    except InvalidSettings as refused:
        read, problems = 0, len(refused.problems)
    assert problems or read == len(lines)


# --- what no override can do -----------------------------------------------------------------------------------------

REFUSALS = st.sampled_from(["4xx", "5xx", "45x", "550", "5.7.x", "4.2.2", "552/-", "554/5.7.1", "421"])
SPOKEN = st.sampled_from(["greeting", "ehlo", "tls", "auth", "mail", "rcpt", "data", "body", "dot"])
BLAMES = st.sampled_from([blame for blame in Blame if blame is not Blame.NOBODY])


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line that is a rule."""
    said = draw(st.lists(SPOKEN, min_size=1, max_size=3)) + draw(st.lists(REFUSALS, min_size=1, max_size=3))
    meant = draw(st.sampled_from(["transient keep", "transient burn", "permanent burn"]))
    return f"{' '.join(said)} -> {meant} {draw(BLAMES)} {draw(st.sampled_from(['', *Pace]))}"


def _allowed(line: str) -> bool:
    try:
        return bool(parse_overrides([line]))
    except InvalidSettings:
        return False


tables = st.lists(lines().filter(_allowed), max_size=5).map(
    lambda lines: VerdictTable(parse_overrides(lines))
)


def _first_match(table: VerdictTable, stage: Stage, signal: Signal) -> Verdict:
    key, text = key_of(signal), text_of(signal)
    return next(rule for rule in table.rules if rule.matches(stage, key, text)).verdict(stage, signal)


@given(tables, stages, signals)
def test_the_answer_is_the_first_rule_that_matches(table: VerdictTable, stage: Stage, signal: Signal) -> None:
    """However rules are looked up, the verdict is that of the first one in the list, for anything said anywhere."""
    assert table.classify(stage, signal) == _first_match(table, stage, signal)


def test_every_real_reply_meets_the_first_rule_that_matches() -> None:
    """So it is for each reply of the data file, and for each fault."""
    table = VerdictTable()
    asked: list[tuple[Stage, Signal]] = [(case.stage, case.reply) for case in CASES]
    for stage, signal in [*asked, *product(Stage, Fault)]:
        assert table.classify(stage, signal) == _first_match(table, stage, signal)


@given(tables, stages)
def test_no_mail_pays_for_a_relay_that_stops(table: VerdictTable, stage: Stage) -> None:
    """A plain 421 at a restart burns no attempt and ends nothing, whatever a deployment says of 4xx."""
    verdict = table.classify(stage, SmtpReply(421, "shutting down"))
    assert verdict.outcome is AttemptOutcome.TRANSIENT_ERROR
    assert not verdict.burns_attempt or stage is Stage.LOCAL


@given(tables, stages, signals)
def test_an_override_speaks_of_refusals_alone(table: VerdictTable, stage: Stage, signal: Signal) -> None:
    """A success stays one and nothing becomes one; silence means what it means, and is as ambiguous as ever."""
    plain, verdict = classify(stage, signal), table.classify(stage, signal)
    assert verdict.accepted == plain.accepted
    assert verdict.ambiguous == plain.ambiguous
    if verdict != plain:
        assert isinstance(signal, SmtpReply)
        assert 400 <= signal.code <= 599
        assert (verdict.stage, verdict.code, verdict.enhanced, verdict.detail) == (
            *(plain.stage, plain.code, plain.enhanced),
            plain.detail,
        )


@given(tables, stages, signals)
def test_no_override_makes_a_mail_pay_for_an_outage(
    table: VerdictTable, stage: Stage, signal: Signal
) -> None:
    """What is said before any mail is named, or of our configuration, burns nothing and ends nothing (P7)."""
    verdict = table.classify(stage, signal)
    before = stage in (Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.AUTH) and isinstance(signal, SmtpReply)
    if before or verdict.blame is Blame.CONFIGURATION:
        assert (verdict.outcome, verdict.burns_attempt) == (AttemptOutcome.TRANSIENT_ERROR, False)
    if verdict.outcome is AttemptOutcome.PERMANENT_ERROR:
        assert verdict.burns_attempt


@given(tables, stages, replies)
def test_no_override_listens_to_words(table: VerdictTable, stage: Stage, reply: SmtpReply) -> None:
    """Outcome and ambiguity hang on the codes alone, whatever is overridden."""
    spoken = table.classify(stage, attrs.evolve(reply, enhanced=reply.agreed_enhanced or ""))
    silent = table.classify(stage, attrs.evolve(reply, enhanced=reply.agreed_enhanced or "", text=""))
    assert (spoken.outcome, spoken.ambiguous) == (silent.outcome, silent.ambiguous)


def test_what_a_dead_worker_leaves_cannot_be_overridden() -> None:
    """The store writes that verdict, and knows of no override."""
    table = VerdictTable(parse_overrides(["dot rcpt 45x 5xx -> permanent message burn"]))
    assert table.classify(Stage.ABANDONED, Fault.CLOSED) == ABANDONED_VERDICT


GOOD = parse_overrides([PARKED])[0]


@pytest.mark.parametrize(
    "rule, problem",
    [
        (attrs.evolve(GOOD, outcome=AttemptOutcome.SUCCESS), "makes of a refusal"),
        (attrs.evolve(GOOD, ambiguous=True), "makes of a refusal"),
        (attrs.evolve(GOOD, signals="any"), "something else than refusals"),
        (attrs.evolve(GOOD, signals="550 timeout"), "something else than refusals"),
        (attrs.evolve(GOOD, signals="2xx"), "something else than refusals"),
        (attrs.evolve(GOOD, stages=frozenset(Stage)), "no server refuses"),
        (attrs.evolve(GOOD, words="parked"), "hangs on words"),
    ],
)
def test_a_rule_from_elsewhere_is_held_to_the_same(rule: Rule, problem: str) -> None:
    """A table refuses what no line could say, too: a host that builds rules in Python is no exception."""
    assert list(objections(GOOD)) == []
    with pytest.raises(InvalidInput, match=rf"^overrides: .*{problem}"):
        VerdictTable((GOOD, rule))
