"""One mail's turn on a connection: what is asked, what was answered, and what its owner is told."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import attrs

from galaxy_mail.domain.verdicts import Signal, Stage

CLOSING = 421  # answers whatever was asked, and closes the connection (RFC 5321 section 3.8)


class Command(Enum):
    """What a reply can belong to, and the codes by which the server goes on."""

    MAIL = "MAIL", (250,)
    RCPT = "RCPT", (250, 251, 252)
    DATA = "DATA", (354,)
    DOT = "the dot", range(200, 300)
    # Nobody was accepted, and DATA got 354 all the same (RFC 2920 section 3.1).
    LONE_DOT = "a lone dot", range(200, 300)
    RSET = "RSET", range(200, 300)

    def __init__(self, _: str, goes_on: Iterable[int]) -> None:
        self.goes_on = frozenset(goes_on)


@attrs.define(eq=False)
class Transaction:
    """One mail's turn. ``signals`` has one entry a recipient, None while it is open; all are set once it is finished."""

    recipients: int
    signals: list[tuple[Stage, Signal] | None] = attrs.field()
    stage: Stage = Stage.MAIL  # of the first command without a reply
    # A 354 or an answered RSET has proved that each reply was read as its own command's.
    in_step: bool = False

    @signals.default
    def _open(self) -> list[tuple[Stage, Signal] | None]:
        return [None] * self.recipients

    @property
    def untouched(self) -> bool:
        """Whether the server has said nothing to it."""
        return self.stage is Stage.MAIL

    @property
    def decided(self) -> bool:
        """Whether no recipient is open."""
        return None not in self.signals

    def decide(self, stage: Stage, signal: Signal) -> None:
        """Give each open recipient this signal; what was said to the others stands."""
        self.signals = [known or (stage, signal) for known in self.signals]


Asked = tuple[Transaction, Command, int, bytes]
"""A command, the mail it is for, which recipient it names, and its line."""


@attrs.frozen
class BodyWanted:
    """The server waits for the body of this one and has accepted someone: ask the gate, then ``open_body`` or ``fail``."""

    transaction: Transaction


@attrs.frozen
class Finished:
    """This one is over; they finish in the order in which they began."""

    transaction: Transaction


Event = BodyWanted | Finished
