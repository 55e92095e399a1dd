"""What a row of the verdict table is, and when it matches.

A rule's ``signals`` are words apart by spaces, each one alternative:

``421``, ``4xx``        a reply code, or a class of them
``4.7.28``, ``5.7.x``   an enhanced code (RFC 3463), under any reply code of its class
``552/5.3.4``           both
``552/-``               a reply code without an enhanced one that agrees with it
``timeout``             a ``Fault``
``any``                 whatever it is
"""

from __future__ import annotations

import re

import attrs

from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.errors import InvalidInput
from galaxy_mail.domain.text import escaped
from galaxy_mail.domain.verdicts import (
    MAX_DETAIL_OCTETS,
    Blame,
    Breaker,
    Fault,
    Pace,
    Signal,
    Stage,
    Verdict,
)

_CODE = r"[2-5](?:[0-9]{2}|[0-9]x|xx)"
_ALTERNATIVE = re.compile(rf"({_CODE})(?:/(-|[245]\.[0-9]+\.(?:[0-9]+|x)))?|([245])\.[0-9]+\.(?:[0-9]+|x)")
_ECHOED_ADDRESS = re.compile(r"\S*@\S*")
_FAULTS = frozenset(fault.value for fault in Fault)


def key_of(signal: Signal) -> str:
    """What signals are matched against: a fault's value, or ``code/enhanced``."""
    if isinstance(signal, Fault):
        return signal.value
    return f"{signal.code}/{signal.agreed_enhanced or '-'}"


@attrs.frozen
class Rule:
    """At any of ``stages``, any of ``signals`` means what stands behind it.

    ``words`` is a regular expression that must also be found in the reply's text, whatever the case, outside the addresses
    that it echoes. Strangers write those texts: let words choose blame and pace, not the outcome.

    Raises:
        InvalidInput: for signals or words that cannot be read.
    """

    stages: frozenset[Stage]
    signals: str
    outcome: AttemptOutcome
    blame: Blame
    burns: bool
    breaker: Breaker
    why: str
    words: str = ""
    ambiguous: bool = False
    pace: Pace = Pace.USUAL
    _key: re.Pattern[str] = attrs.field(init=False, eq=False, repr=False)
    _words: re.Pattern[str] = attrs.field(init=False, eq=False, repr=False)

    @_key.default
    def _compile_key(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_key_pattern, self.signals.split(" "))))

    @_words.default
    def _compile_words(self) -> re.Pattern[str]:
        try:
            return re.compile(self.words, re.IGNORECASE)
        except re.error:
            raise InvalidInput("words", "is no regular expression") from None

    def matches(self, stage: Stage, key: str, text: str) -> bool:
        """Whether the rule speaks of this signal, given by its key and its text."""
        return (
            stage in self.stages
            and self._key.fullmatch(key) is not None
            and (not self.words or self._words.search(_without_addresses(text)) is not None)
        )

    def verdict(self, stage: Stage, signal: Signal) -> Verdict:
        """The rule's verdict, with the evidence that ``signal`` gives."""
        meaning = self.outcome, stage, self.blame, self.burns, self.ambiguous, self.pace, self.breaker
        if isinstance(signal, Fault):
            return Verdict(*meaning, fault=signal)
        detail = escaped(signal.text, MAX_DETAIL_OCTETS)
        return Verdict(*meaning, code=signal.code, enhanced=signal.agreed_enhanced, detail=detail)


def _without_addresses(text: str) -> str:
    return _ECHOED_ADDRESS.sub("", text[:MAX_DETAIL_OCTETS])


def _key_pattern(alternative: str) -> str:
    if alternative == "any":
        return ".*"
    if alternative in _FAULTS:
        return alternative
    if not (parts := _ALTERNATIVE.fullmatch(alternative)):
        raise InvalidInput("signals", "holds a word that is no reply code, enhanced code or fault")
    if parts[3]:
        alternative = f"{parts[3]}xx/{alternative}"
    elif not parts[2]:
        alternative += "/*"
    code, _, enhanced = alternative.partition("/")
    detail = ".*" if enhanced == "*" else re.escape(enhanced).replace("x", "[0-9]+")
    return code.replace("x", "[0-9]") + "/" + detail
