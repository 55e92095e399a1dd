"""A server's side of an SMTP conversation without a wire: octets in, octets and deeds out; and the ledger of it all.

``ScriptedSmtpServer`` puts it on a socket; a test can also talk to it directly, octet by octet.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence

import attrs

from galaxy_mail.testing.smtp_rules import Deed, Moment, Output, Rule, Situation, lines

_PATH = re.compile(rb"(?:MAIL FROM|RCPT TO):<([^>]*)>(.*)", re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)
_VERBS = {
    b"EHLO": Moment.EHLO,
    b"STARTTLS": Moment.STARTTLS,
    b"AUTH": Moment.AUTH,
    b"MAIL": Moment.MAIL,
    b"RCPT": Moment.RCPT,
    b"DATA": Moment.DATA,
    b"RSET": Moment.RSET,
    b"QUIT": Moment.QUIT,
}


@attrs.frozen
class Copy:
    """One message that the server has taken responsibility for, in the order of arrival."""

    connection: int
    sender: str
    recipients: tuple[str, ...]  # those it accepted
    octets: bytes  # as before dot-stuffing
    queue_id: str
    parameters: str = ""  # of MAIL

    @property
    def message_id(self) -> str | None:
        """The Message-ID in its header, without angle brackets."""
        found = _MESSAGE_ID.search(self.octets.partition(b"\r\n\r\n")[0])
        return found[1].decode() if found else None


@attrs.define
class Ledger:
    """What a server has seen, over all its connections."""

    copies: list[Copy] = attrs.field(factory=list)
    commands: list[tuple[int, bytes]] = attrs.field(factory=list)  # connection and line, without CRLF
    breaches: list[str] = attrs.field(factory=list)  # where the client broke the protocol
    moments: Counter[Moment] = attrs.field(factory=Counter)

    def said(self, verb: str) -> list[bytes]:
        """The commands that begin with ``verb``, in order."""
        return [line for _, line in self.commands if line.upper().startswith(verb.encode())]


@attrs.frozen(kw_only=True)
class Offered:
    """What the server offers; ``auth`` holds mechanisms, and any login is welcome."""

    pipelining: bool = True
    eight_bit: bool = True
    smtputf8: bool = True
    starttls: bool = False
    size: int | None = 50_000_000
    auth: tuple[str, ...] = ()

    def keywords(self) -> list[str]:
        """The lines of the reply to EHLO."""
        offers = {
            "PIPELINING": self.pipelining,
            "8BITMIME": self.eight_bit,
            "SMTPUTF8": self.smtputf8,
            "STARTTLS": self.starttls,
            f"SIZE {self.size}": self.size is not None,
            f"AUTH {' '.join(self.auth)}": bool(self.auth),
            "ENHANCEDSTATUSCODES": True,
        }
        return [keyword for keyword, offered in offers.items() if offered]


class Dialogue:
    """One connection. Iterate over what ``greet`` and ``feed`` return and do each output before asking for the next."""

    def __init__(
        self,
        number: int,
        offered: Offered,
        rules: Sequence[Rule],
        ledger: Ledger,
        note: Callable[[Moment], None] = lambda _: None,
    ) -> None:
        self._number = number
        self._offered = offered
        self._rules = rules
        self._ledger = ledger
        self._note = note
        self._buffer = bytearray()
        self._in_body = False
        self._body_octets = 0  # that have been searched for the dot
        self._logging_in = False  # a 334 was said: the next line answers it
        self._reset()

    def _reset(self) -> None:
        self._sender: str | None = None
        self._parameters = ""
        self._recipients: list[str] = []

    def greet(self) -> Iterator[Output]:
        """The greeting."""
        yield from self._answer(Moment.GREETING, 220, "scripted.example ESMTP")

    def feed(self, octets: bytes) -> Iterator[Output]:
        """Everything that the client's octets bring about."""
        self._buffer += octets
        while self._buffer:
            if self._in_body and not self._body_octets:
                yield from self._answer(Moment.BODY, 0, "", recipients=tuple(self._recipients))
            taken = self._take_body() if self._in_body else self._take_line()
            if taken is None:
                return
            yield from self._end_body(taken) if self._in_body else self._obey(taken)

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        if self._buffer and not self._offered.pipelining:
            self._ledger.breaches.append(f"pipelined behind {line!r}")
        return line

    def _take_body(self) -> bytes | None:
        if self._buffer.startswith(b".\r\n"):
            end = 0
        elif (found := self._buffer.find(b"\r\n.\r\n", max(0, self._body_octets - 4))) >= 0:
            end = found + 2
        else:
            self._body_octets = len(self._buffer)
            return None
        body = bytes(self._buffer[:end])
        del self._buffer[: end + len(b".\r\n")]
        self._body_octets = 0
        return body.removeprefix(b".").replace(b"\r\n.", b"\r\n")

    # --- commands -------------------------------------------------------------------------------------------------

    def _obey(self, line: bytes) -> Iterator[Output]:
        self._ledger.commands.append((self._number, line))
        if self._logging_in:
            yield from self._log_in()
            return
        moment = _VERBS.get(line.split(b" ")[0].upper())
        if moment is None:
            yield lines(502, "5.5.2 not implemented")
            return
        yield from getattr(self, f"_on_{moment}")(line)

    def _on_ehlo(self, line: bytes) -> Iterator[Output]:
        self._reset()
        yield from self._answer(
            Moment.EHLO, 250, "\n".join(["scripted.example", *self._offered.keywords()]), line=line
        )

    def _on_starttls(self, line: bytes) -> Iterator[Output]:
        if not self._offered.starttls:
            yield lines(502, "5.5.1 not offered")
            return
        code = yield from self._answer(Moment.STARTTLS, 220, "go ahead", line=line)
        if code == 220:
            self._offered = attrs.evolve(self._offered, starttls=False)
            self._buffer.clear()
            yield Deed.START_TLS

    def _on_auth(self, line: bytes) -> Iterator[Output]:
        if line.upper().startswith(b"AUTH LOGIN "):
            self._logging_in = True
            yield b"334 UGFzc3dvcmQ6\r\n"
        else:
            yield from self._log_in()

    def _log_in(self) -> Iterator[Output]:
        code = yield from self._answer(Moment.AUTH, 235, "2.7.0 welcome")
        self._logging_in = code == 334

    def _on_mail(self, line: bytes) -> Iterator[Output]:
        found = _PATH.fullmatch(line)
        if not found or self._sender is not None:
            self._ledger.breaches.append(f"out of order: {line!r}")
            yield lines(503, "5.5.1 nested MAIL")
            return
        if (yield from self._answer(Moment.MAIL, 250, "2.1.0 ok", line=line)) == 250:
            self._sender, self._parameters = found[1].decode(), found[2].decode().strip()

    def _on_rcpt(self, line: bytes) -> Iterator[Output]:
        found = _PATH.fullmatch(line)
        address = found[1].decode() if found else ""
        usual = (250, "2.1.5 ok") if found and self._sender is not None else (503, "5.5.1 MAIL first")
        code = yield from self._answer(Moment.RCPT, *usual, line=line, recipients=(address,))
        if code < 300:
            self._recipients.append(address)

    def _on_data(self, line: bytes) -> Iterator[Output]:
        usual = (354, "end with a dot") if self._recipients else (554, "5.5.1 no valid recipients")
        code = yield from self._answer(Moment.DATA, *usual, line=line, recipients=tuple(self._recipients))
        if code == 354:
            self._in_body = True

    def _end_body(self, body: bytes) -> Iterator[Output]:
        self._in_body = False
        name = f"Q{len(self._ledger.copies) + 1:06d}"
        usual = (250, f"2.0.0 Ok: queued as {name}") if self._recipients else (554, "5.5.1 nobody named")
        rule = self._rule(Moment.DOT, b".", tuple(self._recipients))
        code = rule.code if rule and rule.code else usual[0]
        if rule.keeps if rule and rule.keeps is not None else code < 300:
            self._ledger.copies.append(
                Copy(self._number, self._sender or "", tuple(self._recipients), body, name, self._parameters)
            )
        self._reset()
        yield from self._perform(Moment.DOT, rule, lines(*usual))

    def _on_rset(self, line: bytes) -> Iterator[Output]:
        self._reset()
        yield from self._answer(Moment.RSET, 250, "2.0.0 ok", line=line)

    def _on_quit(self, line: bytes) -> Iterator[Output]:
        yield from self._answer(Moment.QUIT, 221, "2.0.0 bye", line=line)
        yield Deed.CLOSE

    # --- rules ----------------------------------------------------------------------------------------------------

    def _answer(
        self, moment: Moment, code: int, text: str, line: bytes = b"", recipients: tuple[str, ...] = ()
    ) -> Generator[Output, None, int]:
        """Do what a rule says, or the usual; return the code by which the server goes on."""
        rule = self._rule(moment, line, recipients)
        yield from self._perform(moment, rule, lines(code, text) if code else b"")
        return rule.code if rule and rule.code else code

    def _rule(self, moment: Moment, line: bytes, recipients: tuple[str, ...]) -> Rule | None:
        self._ledger.moments[moment] += 1
        situation = Situation(moment, self._ledger.moments[moment], recipients, line)
        return next((rule for rule in self._rules if rule.moment is moment and rule.when(situation)), None)

    def _perform(self, moment: Moment, rule: Rule | None, usual: bytes) -> Iterator[Output]:
        self._note(moment)
        if rule:
            yield from rule.act(usual)
        elif usual:
            yield usual
