"""How a relay can fail: each kind of failure at each moment of a conversation at which it means something."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import attrs

from galaxy_mail.testing.smtp_rules import (
    Deed,
    Moment,
    Rule,
    Situation,
    close,
    drip,
    endless,
    garbage,
    giant_line,
    hang,
    lines,
    reply,
    reset,
    say,
    silent,
    twice,
    usual_then_close,
)
from tests.faults.world import World

HANDSHAKE = (Moment.GREETING, Moment.EHLO, Moment.STARTTLS, Moment.AUTH)
TRANSACTION = (Moment.MAIL, Moment.RCPT, Moment.DATA, Moment.DOT)
ANSWERED = HANDSHAKE + TRANSACTION


def closing(moment: Moment) -> Rule:
    """421, and the connection is closed (RFC 5321 section 3.8)."""
    return Rule(moment, lambda _: [lines(421, "4.3.2 shutting down"), Deed.CLOSE], code=421)


def kept_but_garbled(moment: Moment) -> Rule:
    """The mail is taken in, and the answer is none."""
    return say(moment, b"\x00\xff what?\r\n", keeps=True)


CREEPS = "an octet a second"
KINDS: dict[str, tuple[tuple[Moment, ...], Callable[[Moment], Rule]]] = {
    "451": (ANSWERED, lambda moment: reply(moment, 451, "4.3.0 not now")),
    "450": ((Moment.MAIL, Moment.RCPT, Moment.DOT), lambda moment: reply(moment, 450, "4.2.0 busy")),
    "554": (ANSWERED, lambda moment: reply(moment, 554, "5.0.0 no")),
    "421": (ANSWERED, closing),
    "close": ((*ANSWERED, Moment.BODY), close),
    "reset": ((*ANSWERED, Moment.BODY), reset),
    "close, mail kept": ((Moment.DOT,), lambda moment: close(moment, keeps=True)),
    "reset, mail kept": ((Moment.DOT,), lambda moment: reset(moment, keeps=True)),
    "answer, then close": (ANSWERED, usual_then_close),
    "garbage": (ANSWERED, garbage),
    "garbage, mail kept": ((Moment.DOT,), kept_but_garbled),
    "a line of 2 MB": (ANSWERED, giant_line),
    "endless continuations": (ANSWERED, endless),
    "two replies": (ANSWERED, twice),
    "no reply": ((Moment.GREETING, Moment.EHLO, Moment.MAIL, Moment.RCPT, Moment.DATA), silent),
    "octet by octet": (ANSWERED, drip),
    CREEPS: (ANSWERED, drip),  # the pauses are made by the proxy
    "hang": ((*ANSWERED, Moment.BODY), hang),
}


def repeats(moment: Moment, code: int, secret: Callable[[str], str]) -> Rule:
    """Refuse, and repeat what ``secret`` makes of the recipient; only to those of whom it makes anything."""
    said = [b""]

    def when(situation: Situation) -> bool:
        told = secret(situation.recipients[0]) if situation.recipients else ""
        said[:] = [lines(code, f"{code // 100}.7.1 we do not like {told}")]
        return bool(told)

    return Rule(moment, lambda _: said, when, code=code)


@attrs.frozen
class RelayFault:
    """One kind of failure at one moment."""

    kind: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.kind} at {self.moment.name}"

    @property
    def blames_nobody(self) -> bool:
        """Whether this is an outage by the verdict table: it burns no attempt and ends no mail."""
        return self.moment in HANDSHAKE or self.kind == "421"

    def rule(self, when: Callable[[Situation], bool]) -> Rule:
        """What a server does that fails like this, whenever ``when`` agrees."""
        rule = KINDS[self.kind][1](self.moment)
        return attrs.evolve(rule, when=lambda situation: rule.when(situation) and when(situation))

    def add(self, world: World, when: Callable[[Situation], bool]) -> Callable[[], None]:
        """Let the relay of the world fail; returns what ends it. A handshake can only fail where there is one."""
        rule = self.rule(when)
        if self.kind == CREEPS:
            rule = attrs.evolve(rule, act=partial(_creeping, world))
        world.relay.rules.insert(0, rule)
        if self.moment in HANDSHAKE:
            world.relay.drop_all()

        def end() -> None:
            with suppress(ValueError):
                world.relay.rules.remove(rule)

        return end


def _creeping(world: World, usual: bytes) -> list[bytes]:
    world.to_relay.slow(1.0)
    return [usual]


RELAY_FAULTS = tuple(RelayFault(kind, moment) for kind, (moments, _) in KINDS.items() for moment in moments)
