"""What a deployment knows better about its relay: a few lines, each a rule that is asked before the table.

``rcpt 550/5.7.606 -> transient policy keep  # delisting takes them a day``

Left of the arrow stand the stages and the refusals of which it speaks: a reply code, an enhanced one or both, as in the
table (see ``verdict_rules``). Right of it stands what they mean: the outcome (``transient`` or ``permanent``), the blame,
whether the mail pays with an attempt (``burn``) or not (``keep``), and perhaps a pace. The rest is for the reader.

An override speaks of refusals alone: of 4xx and 5xx replies. So none can turn a refusal into a success or a success into
anything else; none can say what became of a mail whose dot was not answered; and none hangs on a text that strangers write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.text import escaped
from galaxy_mail.domain.verdict_rules import Rule
from galaxy_mail.domain.verdicts import Blame, Breaker, Pace, Stage

_BEFORE_ANY_MAIL = frozenset({Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.AUTH})
_SPEAKING = _BEFORE_ANY_MAIL | {Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT}
_STAGES = {stage.value: stage for stage in Stage if stage in _SPEAKING}
_REFUSAL = re.compile(
    r"([45])(?:[0-9]{2}|[0-9]x|xx)(?:/(?:-|\1\.[0-9]{1,3}\.(?:[0-9]{1,3}|x)))?|[45]\.[0-9]{1,3}\.(?:[0-9]{1,3}|x)"
)
_FAREWELL = "421/-"

_MEANINGS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "outcome": {"transient": AttemptOutcome.TRANSIENT_ERROR, "permanent": AttemptOutcome.PERMANENT_ERROR},
        "blame": {blame.value: blame for blame in Blame if blame is not Blame.NOBODY},
        "burns": {"burn": True, "keep": False},
        "pace": {pace.value: pace for pace in Pace},
    }
)
_KNOWN = {word for words in _MEANINGS.values() for word in words}

_TOLD = {  # what the breaker learns; nothing from whatever concerns one mail or one recipient
    Blame.TRANSPORT: Breaker.COUNT,
    Blame.CONFIGURATION: Breaker.OPEN,
    Blame.THROTTLE: Breaker.SLOW,
    Blame.POLICY: Breaker.CORRELATE,
}


def parse_overrides(lines: Sequence[str], setting: str = "verdicts") -> tuple[Rule, ...]:
    """The rules that the lines of ``setting`` make, in their order.

    Raises:
        InvalidSettings: naming every line that is wrong, and the word that makes it so.
    """
    if isinstance(lines, str) or not all(isinstance(line, str) for line in lines):
        raise InvalidSettings([f"{setting}: must be a list of lines"])
    rules = list(map(_Line, lines))
    problems = [
        f"{setting}: line {n} {problem}" for n, rule in enumerate(rules, 1) for problem in rule.problems()
    ]
    if problems:
        raise InvalidSettings(problems)
    return tuple(rule.read() for rule in rules)


def objections(rule: Rule) -> Iterator[str]:
    """Why this rule may not be an override, as sentences without a subject; nothing if it may."""
    if not rule.stages <= _SPEAKING:
        yield f"speaks of a stage at which no server refuses: use {', '.join(_STAGES)}"
    if not all(map(_REFUSAL.fullmatch, rule.signals.split(" "))):
        yield "speaks of something else than refusals: use 4xx and 5xx replies"
    if rule.outcome is AttemptOutcome.SUCCESS or rule.ambiguous:
        yield "makes of a refusal something that it is not: use transient or permanent"
    if rule.words:
        yield "hangs on words, which strangers write"
    if rule.outcome is AttemptOutcome.PERMANENT_ERROR and rule.pace is not Pace.USUAL:
        yield "has a pace for what is not tried again: leave it out"
    costly = rule.burns or rule.outcome is AttemptOutcome.PERMANENT_ERROR
    if costly and rule.stages & _BEFORE_ANY_MAIL:
        yield "lets a mail pay for what is said before any is named: use transient and keep"
    elif costly and rule.blame is Blame.CONFIGURATION:
        yield "lets a mail pay for our configuration: use transient and keep"
    elif costly and any(rule.matches(stage, _FAREWELL, "") for stage in rule.stages):
        yield "lets a mail pay for 421, by which a relay says that it stops: use 45x and the like, or transient and keep"
    elif costly and not rule.burns:
        yield "ends a mail for an attempt that does not count: use permanent and burn"


class _Line:
    """One line, taken apart."""

    def __init__(self, line: str) -> None:
        rule, _, why = line.partition("#")
        said, self._arrow, meant = rule.partition("->")
        self._said, self._meant, self._why = said.split(), meant.split(), why.strip()
        self._stages = [word for word in self._said if word in _STAGES]
        self._signals = [word for word in self._said if word not in _STAGES]

    def problems(self) -> list[str]:
        return list(self._misread()) or list(objections(self.read()))

    def _misread(self) -> Iterator[str]:
        if not self._arrow:
            yield "has no -> between what is said and what it means"
            return
        for word in self._signals:
            if not _REFUSAL.fullmatch(word):
                yield f"has {_quoted(word)}, which is no stage ({', '.join(_STAGES)}) and no 4xx or 5xx reply"
        if not self._stages:
            yield f"names no stage: {', '.join(_STAGES)}"
        if not self._signals:
            yield "names no reply, such as 450, 5xx, 5.7.x or 550/5.7.1"
        for word in self._meant:
            if word not in _KNOWN:
                yield f"has {_quoted(word)}, which is no outcome, blame or pace, nor burn or keep"
        for kind, words in _MEANINGS.items():
            count = len(self._of(kind))
            if count > 1 or (count < 1 and kind != "pace"):
                yield f"needs {'at most ' * (kind == 'pace')}one of {', '.join(words)}"

    def _of(self, kind: str) -> list[Any]:
        words = _MEANINGS[kind]
        return [words[word] for word in self._meant if word in words]

    def read(self) -> Rule:
        meaning = {kind: found[0] for kind in _MEANINGS if (found := self._of(kind))}
        breaker = _TOLD.get(meaning["blame"], Breaker.NONE)
        stages = frozenset(_STAGES[word] for word in self._stages)
        why = self._why or "this deployment says so"
        return Rule(stages, " ".join(self._signals), breaker=breaker, why=why, **meaning)


def _quoted(word: str) -> str:
    return f"'{escaped(word, 40)}'"
