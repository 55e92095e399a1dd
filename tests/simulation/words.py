"""What a relay can say instead of going on, stage by stage: at least one word for each row of the verdict table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage

Word = tuple[Stage, Signal]

NO_SUCH_USER = SmtpReply(550, "5.1.1 no such user")
GREYLISTED = SmtpReply(450, "4.7.1 greylisted, try again later")
_CLOSING = SmtpReply(421, "4.3.2 shutting down")
_SILENCES = (Fault.TIMEOUT, Fault.CLOSED, Fault.GARBAGE)

WORDS: Mapping[Stage, tuple[Signal, ...]] = MappingProxyType(
    {
        Stage.CONNECT: (Fault.UNREACHABLE, Fault.TIMEOUT),
        Stage.GREETING: (SmtpReply(554, "no mail here"), SmtpReply(450, "busy"), _CLOSING, *_SILENCES),
        Stage.EHLO: (SmtpReply(521, "never"), SmtpReply(500, "what?"), _CLOSING, *_SILENCES),
        Stage.TLS: (
            Fault.TLS_FAILED,
            Fault.STARTTLS_MISSING,
            SmtpReply(454, "4.7.0 TLS not available"),
            SmtpReply(502, "5.5.1 no STARTTLS"),
            SmtpReply(450, "4.3.0 not now"),
            *_SILENCES,
        ),
        Stage.AUTH: (
            Fault.AUTH_MISSING,
            SmtpReply(535, "5.7.8 wrong password"),
            SmtpReply(454, "4.7.0 temporary failure"),
            SmtpReply(432, "4.7.12 password transition"),
            _CLOSING,
            *_SILENCES,
        ),
        Stage.LOCAL: (Fault.TOO_LARGE, Fault.SMTPUTF8_MISSING, SmtpReply(250, "said to nobody")),
        Stage.MAIL: (
            SmtpReply(552, "5.3.4 too big"),
            SmtpReply(450, "4.7.1 hold on"),
            SmtpReply(451, "4.3.0 local error"),
            SmtpReply(452, "4.3.1 no space"),
            SmtpReply(450, "4.1.8 sender does not resolve for now"),
            SmtpReply(550, "5.7.1 sender refused"),
            _CLOSING,
            *_SILENCES,
        ),
        Stage.RCPT: (
            SmtpReply(452, "4.5.3 too many recipients"),
            SmtpReply(452, "too many recipients"),
            SmtpReply(450, "4.7.28 rate limited"),
            SmtpReply(450, "4.2.0 rate limit for this mailbox"),
            SmtpReply(530, "5.7.0 authentication required"),
            SmtpReply(550, "5.1.8 bad sender"),
            GREYLISTED,
            SmtpReply(450, "4.2.1 mailbox busy"),
            SmtpReply(552, "5.2.2 mailbox full"),
            SmtpReply(552, "5.3.4 too big for this recipient"),
            SmtpReply(550, "5.7.1 policy"),
            SmtpReply(554, "blocked for spam"),
            NO_SUCH_USER,
            _CLOSING,
            *_SILENCES,
        ),
        Stage.DATA: (
            SmtpReply(451, "4.3.0 local error"),
            SmtpReply(451, "4.7.1 hold on"),
            SmtpReply(451, "4.7.28 rate limited"),
            SmtpReply(530, "5.7.0 authentication required"),
            SmtpReply(550, "5.6.0 no"),
            SmtpReply(250, "out of step"),
            _CLOSING,
            *_SILENCES,
        ),
        Stage.BODY: (Fault.CLOSED, Fault.TIMEOUT),
        Stage.DOT: (
            SmtpReply(450, "4.2.0 not this time"),
            SmtpReply(451, "4.3.0 could not queue"),
            SmtpReply(451, "4.7.1 held off"),
            SmtpReply(450, "4.7.28 rate limited"),
            SmtpReply(450, "too many messages"),
            SmtpReply(554, "5.6.0 refused"),
            SmtpReply(552, "5.3.4 too big"),
            SmtpReply(354, "out of step"),
            _CLOSING,
            *_SILENCES,
        ),
    }
)
"""A reply that reads "go on" where it is not wanted is a conversation out of step."""

OPENING = (Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.AUTH)
"""What a connection goes through before any mail is named: an outage of the relay shows here."""


def ambiguous(stage: Stage, signal: Signal) -> bool:
    """Whether the relay may have the mail, seen from the relay: it was told everything, and answered nothing that counts."""
    refused = isinstance(signal, SmtpReply) and signal.code >= 400
    return stage is Stage.DOT and not refused


def ends_the_talk(signal: Signal) -> bool:
    """Whether nothing more can be said on that connection."""
    return isinstance(signal, Fault) or signal.code == _CLOSING.code
