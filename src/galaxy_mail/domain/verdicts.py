"""What the words of an SMTP conversation mean: the vocabulary of verdicts.

Three axes that are easily confused are kept apart: ``outcome`` (what happened to this mail), ``blame`` (whose doing it was)
and ``burns_attempt`` (whether it counts against the mail). A fourth, ``ambiguous``, says that the server may have the mail
although we hold no receipt (RFC 1047). How replies and faults become verdicts is the table in ``verdict_table``.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

import attrs

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.delivery import AttemptOutcome

MAX_DETAIL_OCTETS = 512

_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?!\.?[0-9])")  # RFC 3463 section 2


class Stage(StrEnum):
    """Where in the conversation something was said or fell silent (RFC 5321 section 3)."""

    LOCAL = "local"  # before or beside the network: rendering, composing, size, expiry
    CONNECT = "connect"  # resolving the relay's name and reaching it
    GREETING = "greeting"  # the server speaks first
    EHLO = "ehlo"  # who we are, and what it offers
    TLS = "tls"  # from the first byte, or by STARTTLS (RFC 3207)
    AUTH = "auth"  # the login (RFC 4954)
    MAIL = "mail"  # the sender
    RCPT = "rcpt"  # one recipient
    DATA = "data"  # the wish to send the message, answered before its first octet
    BODY = "body"  # written in part: the terminator's last octet cannot have left our buffers
    DOT = "dot"  # the terminator's last octet may have left
    ABANDONED = "abandoned"  # the worker fell silent; the stage is unknown


class Fault(StrEnum):
    """Something that happened instead of a reply."""

    UNREACHABLE = "unreachable"  # refused, no route, no such host
    TIMEOUT = "timeout"  # nothing came in the time that the stage has
    CLOSED = "closed"  # EOF, reset or write error
    GARBAGE = "garbage"  # bytes that are no reply (RFC 5321 section 4.2), or one reply too many
    TLS_FAILED = "tls_failed"  # certificate, host name, handshake
    STARTTLS_MISSING = "starttls_missing"  # TLS is required and not offered
    AUTH_MISSING = "auth_missing"  # the server offers no mechanism that we can use
    TOKEN_MISSING = "token_missing"  # whoever gives us access tokens gave none
    TOO_LARGE = "too_large"  # over the server's SIZE (RFC 1870)
    SMTPUTF8_MISSING = "smtputf8_missing"  # an address needs RFC 6531, the server does not offer it
    UNRENDERABLE = "unrenderable"  # the stored mail could not be made into a message
    EXPIRED = "expired"  # validity ended before the body
    CLAIM_LOST = "claim_lost"  # the lease can no longer be trusted, so the body was not begun
    INTERNAL = "internal"  # a bug of ours, caught before it could do more


class Blame(StrEnum):
    """Whose doing it was."""

    NOBODY = "nobody"  # success; or time passed, or a worker died
    TRANSPORT = "transport"  # the relay or the network; concerns every mail
    CONFIGURATION = "configuration"  # our credentials, certificates or sender; concerns every mail
    THROTTLE = "throttle"  # the relay wants us slower
    ENVELOPE = "envelope"  # the transaction's shape, not its mail
    RECIPIENT = "recipient"  # one address, at its own server
    MESSAGE = "message"  # this mail: its content or its size
    POLICY = "policy"  # a rule of the server's: against this mail, or against us


class Pace(StrEnum):
    """How the next attempt differs from the usual backoff."""

    USUAL = "usual"  # by the backoff
    AT_ONCE = "at_once"  # the rest of the recipients in a next transaction (452 4.5.3)
    LONG = "long"  # waiting helps only over hours (mailbox full)


class Breaker(StrEnum):
    """What the verdict tells the circuit breaker of the relay (or, at MAIL, of the sender); see ``outages``."""

    NONE = "none"  # nothing: the transport did its part
    COUNT = "count"  # one more failure in a row
    OPEN = "open"  # at once, and alert: it fails for every mail until a person acts
    RESET = "reset"  # the transport works
    SLOW = "slow"  # keep it closed and send less
    CORRELATE = "correlate"  # the mail's doing if it stands alone, ours if many distinct mails meet it in a short time


@attrs.frozen
class SmtpReply:
    """One reply: ``code`` 200–599, ``text`` its lines joined by a line feed, still untrusted. ``enhanced`` is RFC 3463."""

    code: int
    text: str = ""
    enhanced: str | None = None

    @property
    def agreed_enhanced(self) -> str | None:
        """The enhanced code, given or at the beginning of the text, if its class digit agrees with ``code``; else None."""
        found = _ENHANCED.match(self.text if self.enhanced is None else self.enhanced)
        return found[1] if found and found[1][0] == str(self.code)[0] else None


Signal = SmtpReply | Fault


@attrs.frozen
class Verdict:
    """The meaning of one reply or fault for one recipient. ``detail`` is escaped and at most 512 octets."""

    outcome: AttemptOutcome
    stage: Stage
    blame: Blame
    burns_attempt: bool
    ambiguous: bool = False
    pace: Pace = Pace.USUAL
    breaker: Breaker = Breaker.NONE
    code: int | None = None
    enhanced: str | None = None
    fault: Fault | None = None
    detail: str = ""

    @property
    def said(self) -> str:
        """What was said or befell, in a word: the fault, else the reply code."""
        return str(self.fault or self.code)

    @property
    def accepted(self) -> bool:
        """The server has taken responsibility for the mail to this recipient."""
        return self.outcome is AttemptOutcome.SUCCESS

    @property
    def final(self) -> bool:
        """No further attempt is of use for this recipient."""
        return self.outcome is not AttemptOutcome.TRANSIENT_ERROR


@attrs.frozen
class Envelope:
    """Whom the transaction names (RFC 5321 section 2.3.1); never derived from headers.

    ``smtputf8`` says that an address in the envelope or a header is not ASCII (RFC 6531).
    """

    sender: EmailAddress
    recipients: tuple[EmailAddress, ...]
    smtputf8: bool = False


@attrs.frozen
class Receipt:
    """What became of one transaction: a verdict for each recipient of the envelope, in its order; never empty."""

    verdicts: tuple[Verdict, ...]
    remote_id: str | None = None  # the server's queue id, where its reply to the dot names one

    def __attrs_post_init__(self) -> None:
        assert self.verdicts, "an envelope names somebody"

    @classmethod
    def uniform(cls, verdict: Verdict, envelope: Envelope, remote_id: str | None = None) -> Self:
        """The same verdict for every recipient."""
        return cls((verdict,) * len(envelope.recipients), remote_id)

    @property
    def verdict(self) -> Verdict:
        """The verdict on the transaction: success if any recipient was accepted at the dot, else the most hopeful."""
        return min(self.verdicts, key=_rank)


def _rank(verdict: Verdict) -> int:
    if verdict.accepted:
        return 0
    if verdict.ambiguous:
        return 1
    return 3 if verdict.final else 2
