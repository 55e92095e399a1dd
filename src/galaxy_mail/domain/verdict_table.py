"""From a stage and what was said there to a verdict: one ordered table, and the first rule that matches decides.

``verdict_rules`` tells how a row is written. The table is total: its last row matches everything.

A 2xx to RCPT and a 354 to DATA mean "go on". They are called a success so that every reply has a verdict; only a 2xx to
the dot is a success of the mail (RFC 5321 section 4.2.5). A "go on" before RCPT is never asked about; if it is, the answer
is that of a conversation out of step.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.errors import InvalidInput
from galaxy_mail.domain.verdict_overrides import objections
from galaxy_mail.domain.verdict_rules import Rule, key_of
from galaxy_mail.domain.verdicts import Blame, Breaker, Fault, Pace, Signal, SmtpReply, Stage, Verdict


def _at(*stages: Stage) -> frozenset[Stage]:
    return frozenset(stages)


_SUCCESS, _TRANSIENT, _PERMANENT = AttemptOutcome
_NOBODY, _TRANSPORT, _CONFIG, _THROTTLE = Blame.NOBODY, Blame.TRANSPORT, Blame.CONFIGURATION, Blame.THROTTLE
_ENVELOPE, _RECIPIENT, _MESSAGE, _POLICY = Blame.ENVELOPE, Blame.RECIPIENT, Blame.MESSAGE, Blame.POLICY
_NONE, _COUNT, _OPEN, _RESET, _SLOW, _CORRELATE = Breaker
_BURN, _KEEP = True, False

_ANY = frozenset(Stage)
_LOCAL, _ABANDONED = _at(Stage.LOCAL), _at(Stage.ABANDONED)
_OPENING = _at(Stage.CONNECT, Stage.GREETING, Stage.EHLO)
_SECURING = _at(Stage.TLS, Stage.AUTH)
_MAIL, _RCPT, _DATA, _DOT = _at(Stage.MAIL), _at(Stage.RCPT), _at(Stage.DATA), _at(Stage.DOT)
_CONTENT = _at(Stage.DATA, Stage.BODY, Stage.DOT)
_NOT_DOT = _ANY - _DOT

_RATE = r"\brate\b|\bratelimit|\btoo many\b|\bthrottl"
_CROWD = r"\btoo many (?:recipients|rcpt)(?!.*(?:hour|day|throttl))"
_REPUTATION = r"\brelay|\bspam|\bblock|\bblacklist|\bpolicy|\breputation"

# fmt: off
GO_ON: tuple[Rule, ...] = (
    Rule(_DOT, "2xx", _SUCCESS, _NOBODY, _BURN, _RESET, "the server has taken responsibility"),
    Rule(_RCPT, "250 251 252", _SUCCESS, _NOBODY, _BURN, _NONE, "the recipient is accepted: go on"),
    Rule(_DATA, "354", _SUCCESS, _NOBODY, _BURN, _NONE, "the server waits for the message: go on"),
)
RULES: tuple[Rule, ...] = (
    # Go on, and done.
    *GO_ON,

    # Not said by any server.
    Rule(_ABANDONED, "any", _TRANSIENT, _NOBODY, _KEEP, _NONE, "what the dead worker wrote may still be delivered; abandoned claims have a limit of their own", ambiguous=True),
    Rule(_DOT, "internal", _TRANSIENT, _MESSAGE, _BURN, _NONE, "a bug of ours, and the server may have the mail", ambiguous=True),
    Rule(_OPENING | _SECURING, "internal", _TRANSIENT, _TRANSPORT, _KEEP, _COUNT, "a bug of ours before any mail is named: no mail's fault, and no mail can be sent"),
    Rule(_NOT_DOT, "internal", _TRANSIENT, _MESSAGE, _BURN, _NONE, "a bug of ours: bounded, so that it cannot spin"),
    Rule(_NOT_DOT, "unrenderable too_large smtputf8_missing", _PERMANENT, _MESSAGE, _BURN, _NONE, "this mail cannot be sent by this server"),
    Rule(_NOT_DOT, "expired", _TRANSIENT, _NOBODY, _KEEP, _NONE, "time passed; the settlement closes the delivery as expired"),
    Rule(_NOT_DOT, "claim_lost", _TRANSIENT, _NOBODY, _KEEP, _NONE, "the lease ran out before the body was begun"),
    Rule(_NOT_DOT, "tls_failed starttls_missing auth_missing token_missing", _TRANSIENT, _CONFIG, _KEEP, _OPEN, "never in clear, never without the login that was asked for"),
    Rule(_NOT_DOT, "unreachable timeout closed garbage", _TRANSIENT, _TRANSPORT, _KEEP, _COUNT, "the body's end cannot have left: the relay's failure, not the mail's"),
    Rule(_LOCAL, "any", _TRANSIENT, _MESSAGE, _BURN, _NONE, "no server speaks here: a bug of ours"),

    # Slower, please.
    Rule(_RCPT, "4.5.3 552/5.5.3", _TRANSIENT, _ENVELOPE, _KEEP, _NONE, "too many recipients in one transaction: the rest in a next one (552: RFC 5321 section 4.5.3.1.10)", pace=Pace.AT_ONCE),
    Rule(_RCPT, "4xx/- 552/-", _TRANSIENT, _ENVELOPE, _KEEP, _NONE, "the same, said in words", words=_CROWD, pace=Pace.AT_ONCE),
    Rule(_RCPT | _CONTENT, "4.7.28", _TRANSIENT, _THROTTLE, _KEEP, _SLOW, "the relay limits our rate"),
    Rule(_RCPT | _CONTENT, "4xx", _TRANSIENT, _THROTTLE, _KEEP, _SLOW, "the same, said in words", words=_RATE),
    Rule(_ANY, "421", _TRANSIENT, _TRANSPORT, _KEEP, _COUNT, "the server closes the connection, even after the dot (RFC 5321 section 3.8)"),

    # Before any mail is named.
    Rule(_OPENING, "521 554", _TRANSIENT, _TRANSPORT, _KEEP, _OPEN, "the host takes no mail, or none from us (RFC 7504)"),
    Rule(_OPENING, "any", _TRANSIENT, _TRANSPORT, _KEEP, _COUNT, "the relay cannot serve us now"),
    Rule(_SECURING, "454 4.7.0", _TRANSIENT, _THROTTLE, _KEEP, _COUNT, "TLS or login are not available for the moment (RFC 3207, RFC 4954)"),
    Rule(_SECURING, "5xx", _TRANSIENT, _CONFIG, _KEEP, _OPEN, "our credentials or TLS settings are refused, for every mail"),
    Rule(_SECURING, "any", _TRANSIENT, _TRANSPORT, _KEEP, _COUNT, "the relay cannot serve us now"),

    # MAIL: about the sender, but for the size.
    Rule(_MAIL, "552/- 5.3.4 5.2.3", _PERMANENT, _MESSAGE, _BURN, _NONE, "larger than the server takes (RFC 1870)"),
    Rule(_MAIL, "4.7.x", _TRANSIENT, _THROTTLE, _KEEP, _COUNT, "the relay holds us off for a while"),
    Rule(_MAIL, "451 452 4.3.x 4.4.x", _TRANSIENT, _TRANSPORT, _KEEP, _COUNT, "the relay is short of something"),
    Rule(_MAIL, "4xx", _TRANSIENT, _TRANSPORT, _BURN, _COUNT, "an unknown passing trouble"),
    Rule(_MAIL, "5xx", _TRANSIENT, _CONFIG, _KEEP, _OPEN, "our sender is refused, for every mail of it"),

    # RCPT: about one recipient, unless the server has put off what it had against the sender.
    Rule(_RCPT | _DATA, "530", _TRANSIENT, _CONFIG, _KEEP, _OPEN, "the server wants a login or TLS first (RFC 4954 section 6)"),
    Rule(_RCPT, "5.1.7 5.1.8", _TRANSIENT, _CONFIG, _KEEP, _OPEN, "our sender is refused, told one command late"),
    Rule(_RCPT, "4.7.x", _TRANSIENT, _THROTTLE, _BURN, _NONE, "greylisted or held off (RFC 6647)"),
    Rule(_RCPT, "4xx", _TRANSIENT, _RECIPIENT, _BURN, _NONE, "the mailbox is busy, over quota or unknown for now"),
    Rule(_RCPT, "552/- 5.2.2", _TRANSIENT, _RECIPIENT, _BURN, _NONE, "the mailbox is full: people do clear them, over hours", pace=Pace.LONG),
    Rule(_RCPT, "5.2.3 5.3.4", _PERMANENT, _MESSAGE, _BURN, _NONE, "larger than this recipient takes"),
    Rule(_RCPT, "5.7.x", _PERMANENT, _POLICY, _BURN, _CORRELATE, "a policy: of this recipient, or against us"),
    Rule(_RCPT, "5xx/-", _PERMANENT, _POLICY, _BURN, _CORRELATE, "the same, said in words", words=_REPUTATION),
    Rule(_RCPT, "5xx", _PERMANENT, _RECIPIENT, _BURN, _NONE, "no such recipient, for good"),

    # DATA and after: about the message.
    Rule(_CONTENT, "4.7.x", _TRANSIENT, _THROTTLE, _BURN, _NONE, "held off, having seen the mail"),
    Rule(_CONTENT, "4.3.x 4.4.x", _TRANSIENT, _TRANSPORT, _BURN, _NONE, "the server could not take it in"),
    Rule(_CONTENT, "4xx", _TRANSIENT, _MESSAGE, _BURN, _NONE, "not this time"),
    Rule(_CONTENT, "5xx", _PERMANENT, _MESSAGE, _BURN, _CORRELATE, "the message is refused for good"),

    # Whatever else.
    Rule(_DOT, "any", _TRANSIENT, _TRANSPORT, _BURN, _COUNT, "no clean reply: the server may have the mail (RFC 1047)", ambiguous=True),
    Rule(_ANY, "any", _TRANSIENT, _TRANSPORT, _KEEP, _COUNT, "the conversation is out of step: close it"),
)
# fmt: on


@attrs.frozen
class VerdictTable:
    """The rules in their order: what the server accepts, then a deployment's ``overrides``, then all others.

    Raises:
        InvalidInput: for a rule that may not be an override (see ``verdict_overrides``).
    """

    overrides: tuple[Rule, ...] = ()
    rules: tuple[Rule, ...] = attrs.field(init=False, eq=False, repr=False)
    _rules_at: Mapping[Stage, tuple[Rule, ...]] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if problem := next((each for rule in self.overrides for each in objections(rule)), None):
            raise InvalidInput("overrides", problem)

    @rules.default
    def _in_order(self) -> tuple[Rule, ...]:
        return GO_ON + self.overrides + RULES[len(GO_ON) :]

    @_rules_at.default
    def _by_stage(self) -> Mapping[Stage, tuple[Rule, ...]]:
        return {stage: tuple(rule for rule in self.rules if stage in rule.stages) for stage in Stage}

    def classify(self, stage: Stage, signal: Signal) -> Verdict:
        """The verdict on ``signal`` at ``stage``. Pure and total: any code, text and fault has one, at any stage."""
        key, text = key_of(signal), signal.text if isinstance(signal, SmtpReply) else ""
        rule = next(rule for rule in self._rules_at[stage] if rule.matches(stage, key, text))
        return rule.verdict(stage, signal)


classify = VerdictTable().classify

ABANDONED_VERDICT = classify(Stage.ABANDONED, Fault.CLOSED)
"""The verdict a store writes on the attempt of a claim whose worker fell silent."""
