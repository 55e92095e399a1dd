"""From octets to replies (RFC 5321 section 4.2), and what a reply to the dot says about the queue behind it.

A reply is one line or several of the same code, each but the last with a hyphen after it. Whatever else comes is garbage,
and so is a reply that does not end: what one reply may take up is limited, so that no server can fill our memory.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from galaxy_mail.domain.verdicts import SmtpReply

MAX_REPLY_OCTETS = 64 * 1024  # all lines of one reply; RFC 5321 section 4.5.3.1.5 allows 512 a line
MAX_TEXT_OCTETS = 2 * 1024  # what we keep of them

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\n]*)|\r?)\n")

# How relays name their queue entry, the frequent first. Each begins with letters, which makes searching for it cheap.
_QUEUE_IDS = tuple(
    map(
        re.compile,
        (
            r"queued as <?([^\s<>;,]+)",  # Postfix, SendGrid, Mailjet, Halon, Mailpit
            r"id=([^\s,;\]]+)",  # Exim
            r"InternalId=([0-9]+)",  # Exchange, Microsoft 365
            r"[Oo]k ([0-9a-f]{16}-[0-9a-f-]{20,60})",  # Amazon SES
            r"OK +[0-9]+ ([^\s]+) - gsmtp",  # Google
            r"([^\s]+) Message accepted for delivery",  # Sendmail, OpenSMTPD
            r"ids=([^\s,;\]]+)",  # KumoMTA
            r"queued with id ([^\s.]+)",  # Stalwart
            r"ok ([0-9]+ qp [0-9]+)",  # qmail
            r"Queued \(([^\s()]+)\)",  # Haraka
        ),
    )
)
_PLAIN = re.compile(r"[!-~]{1,128}|[0-9]+ qp [0-9]+")


class GarbageReply(Exception):
    """The octets are no reply. Never leaves this adapter."""


class Reply(NamedTuple):
    """A reply as it was read: cheap, for most are only a step on the way."""

    code: int
    octets: bytes  # the text of its lines, joined by line feeds

    @property
    def signal(self) -> SmtpReply:
        """The reply as it is judged and shown."""
        return SmtpReply(self.code, self.octets[:MAX_TEXT_OCTETS].decode("utf-8", "replace"))


class ReplyReader:
    """Octets in, replies out; fed whole or one at a time, the replies are the same."""

    __slots__ = ("_at", "_code", "_fed", "_octets", "_texts")

    def __init__(self) -> None:
        self._fed = b""
        self._at = 0  # where in it the next line begins
        self._octets = 0  # that the complete lines of an incomplete reply have taken
        self._code: bytes | None = None  # of that reply
        self._texts: list[bytes] = []

    @property
    def partial(self) -> bool:
        """Whether a reply has begun that is not complete."""
        return self._at < len(self._fed) or self._code is not None

    def feed(self, octets: bytes) -> None:
        """Take what the server sent."""
        self._fed = self._fed[self._at :] + octets
        self._at = 0

    def next_reply(self) -> Reply | None:
        """The next complete reply, or None until more is fed.

        Raises:
            GarbageReply: if what was fed is no reply, or does not end. The reader is of no use after it.
        """
        while line := _LINE.match(self._fed, self._at):
            self._octets += line.end() - self._at
            self._at = line.end()
            if self._octets > MAX_REPLY_OCTETS:
                raise GarbageReply
            if reply := self._take(*line.groups()):
                return reply
        rest = len(self._fed) - self._at
        if self._octets + rest > MAX_REPLY_OCTETS or (rest and b"\n" in self._fed[self._at :]):
            raise GarbageReply
        return None

    def _take(self, code: bytes, separator: bytes | None, text: bytes | None) -> Reply | None:
        if self._code not in (None, code):
            raise GarbageReply
        text = (text or b"").removesuffix(b"\r")
        if separator == b"-":
            self._code = code
            self._texts.append(text)
            return None
        if self._code:
            text = b"\n".join((*self._texts, text))
            self._code = None
            self._texts.clear()
        self._octets = 0
        return Reply(int(code), text)


def queue_id(text: str) -> str | None:
    """The name that the server gave the mail in its own queue, where the reply to the dot tells one."""
    for pattern in _QUEUE_IDS:
        if found := pattern.search(text):
            return found[1] if _PLAIN.fullmatch(found[1]) else None
    return None
