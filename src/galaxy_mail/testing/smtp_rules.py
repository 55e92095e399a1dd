"""How a scripted SMTP server misbehaves: each way has a name, and is chosen by the moment in the conversation.

    ScriptedSmtpServer(rules=[
        reply(Moment.RCPT, 550, "5.1.1 no such user", recipient="eve@example.org"),
        greylist(),
        hang(Moment.DOT, nth=2),
    ])

The first rule that applies decides; without one the server does the usual thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, StrEnum
from itertools import repeat

import attrs


class Moment(StrEnum):
    """Where in a conversation a server can misbehave. ``BODY`` is when its first octets have come."""

    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"
    RSET = "rset"
    QUIT = "quit"
    GONE = "gone"  # the connection has ended; for waiting only


class Deed(Enum):
    """What a server can do besides sending octets."""

    HANG = "wait, and read nothing, until released"
    CLOSE = "close the connection"
    RESET = "reset the connection"
    START_TLS = "begin TLS as the server"


Output = bytes | Deed
Act = Callable[[bytes], Iterable[Output]]
"""From the usual reply to what is done instead."""


@attrs.frozen
class Situation:
    """What a rule may look at. ``count`` numbers the occurrences of this moment at this server, from 1."""

    moment: Moment
    count: int
    recipients: tuple[str, ...]  # of this RCPT, or of the mail
    line: bytes


@attrs.frozen
class Rule:
    """At ``moment``, if ``when`` agrees, ``act``.

    ``code`` is the reply code by which the server itself goes on (None: the usual one); ``keeps`` says whether a mail is
    taken in all the same (None: if that code is a 2xx).
    """

    moment: Moment
    act: Act
    when: Callable[[Situation], bool] = lambda _: True
    code: int | None = None
    keeps: bool | None = None


def _chosen(recipient: str | None, nth: int | None) -> Callable[[Situation], bool]:
    def when(situation: Situation) -> bool:
        if nth is not None and situation.count != nth:
            return False
        return recipient is None or recipient.lower() in map(str.lower, situation.recipients)

    return when


def lines(code: int, text: str) -> bytes:
    """A reply on the wire; ``text`` may have several lines."""
    *first, last = text.split("\n")
    return b"".join([f"{code}-{line}\r\n".encode() for line in first]) + f"{code} {last}\r\n".encode()


def reply(
    moment: Moment, code: int, text: str = "scripted", recipient: str | None = None, nth: int | None = None
) -> Rule:
    """Answer with this code and text."""
    return Rule(moment, lambda _: [lines(code, text)], _chosen(recipient, nth), code=code)


def greylist(text: str = "4.7.1 greylisted, come again") -> Rule:
    """Answer 450 to each recipient the first time it is named (RFC 6647)."""
    seen: set[str] = set()

    def first_time(situation: Situation) -> bool:
        new = set(situation.recipients) - seen
        seen.update(new)
        return bool(new)

    return Rule(Moment.RCPT, lambda _: [lines(450, text)], first_time, code=450)


def hang(moment: Moment, recipient: str | None = None, nth: int | None = None) -> Rule:
    """Say nothing until ``ScriptedSmtpServer.release``, then the usual. At ``BODY``: read no more."""
    return Rule(moment, lambda usual: [Deed.HANG, usual], _chosen(recipient, nth))


def close(
    moment: Moment, recipient: str | None = None, nth: int | None = None, *, keeps: bool = False
) -> Rule:
    """Close without a word. With ``keeps``, at the dot, the mail is taken in: nobody will ever tell the client."""
    return Rule(moment, lambda _: [Deed.CLOSE], _chosen(recipient, nth), keeps=keeps)


def reset(
    moment: Moment, recipient: str | None = None, nth: int | None = None, *, keeps: bool = False
) -> Rule:
    """Reset the connection (RST)."""
    return Rule(moment, lambda _: [Deed.RESET], _chosen(recipient, nth), keeps=keeps)


def usual_then_close(moment: Moment, recipient: str | None = None, nth: int | None = None) -> Rule:
    """Give the usual reply, complete, and close."""
    return Rule(moment, lambda usual: [usual, Deed.CLOSE], _chosen(recipient, nth))


def say(moment: Moment, *outputs: Output, nth: int | None = None, keeps: bool = False) -> Rule:
    """Send these octets, whatever they are, instead of a reply."""
    return Rule(moment, lambda _: outputs, _chosen(None, nth), keeps=keeps)


def garbage(moment: Moment, nth: int | None = None) -> Rule:
    """Send something that is no reply."""
    return say(moment, b"\x16\x03\x01 <html>busy</html>\r\n", nth=nth)


def giant_line(moment: Moment, octets: int = 2 * 1024 * 1024, nth: int | None = None) -> Rule:
    """Send a reply of one line, this long."""
    return say(moment, b"250 " + b"x" * octets + b"\r\n", nth=nth)


def endless(moment: Moment, nth: int | None = None) -> Rule:
    """Send continuation lines for ever."""
    return Rule(moment, lambda _: repeat(b"250-and one more line\r\n" * 100), _chosen(None, nth), keeps=False)


def silent(moment: Moment, nth: int | None = None) -> Rule:
    """Leave the reply out, and go on with the next command."""
    return Rule(moment, lambda _: [], _chosen(None, nth))


def twice(moment: Moment, nth: int | None = None) -> Rule:
    """Give the usual reply two times."""
    return Rule(moment, lambda usual: [usual + usual], _chosen(None, nth))


def drip(moment: Moment, nth: int | None = None) -> Rule:
    """Give the usual reply one octet at a time."""
    return Rule(moment, lambda usual: [bytes((octet,)) for octet in usual], _chosen(None, nth))


def inject_after_starttls(injected: bytes = b"250-injected\r\n250 AUTH PLAIN\r\n") -> Rule:
    """What a stranger on the path could do: more octets, in clear, behind the 220 (CVE-2011-0411)."""
    return Rule(Moment.STARTTLS, lambda usual: [usual + injected])
