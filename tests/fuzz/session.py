"""A session and a server that says anything at any moment: no mail ever reads another's reply.

Each reply that is well formed says which one it is (``#7``). So whoever is told of it must have asked the command whose
answer it is, counted by what was written. Once the server has said octets of another kind, nobody can count any more; then
it is enough that everybody gets an answer, and that nobody is told of a success whose dot was not written.
"""

from __future__ import annotations

import attrs

from galaxy_mail.adapters.smtp.session import Session
from galaxy_mail.adapters.smtp.transaction import BodyWanted, Event, Transaction
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, SmtpReply, Stage
from tests.fuzz.engine import Target
from tests.fuzz.octets import Octets
from tests.fuzz.replies import WORDS, check_verdict

CODES = (250, 354, 550, 450, 421, 251, 220, 335, 599)
BODIES = (b"hello\r\n.\r\n", b"x" * 70_000 + b"\r\n.\r\n")
ENDS = (Fault.CLOSED, Fault.TIMEOUT, Fault.GARBAGE)


@attrs.frozen
class Written:
    """A command, or a body with its dot, in the order in which they went out."""

    word: str
    mail: int
    recipient: int = 0


class Conversation:
    """One connection's life."""

    def __init__(self, source: Octets) -> None:
        self._source = source
        self._session = Session(pipelining=source.chance())
        self._riding = source.chance()
        self._people = [1 + source.number(3) for _ in range(1 + source.number(4))]  # of each mail
        self._begun: list[Transaction] = []
        self._finished: list[Transaction] = []
        self._written: list[Written] = []
        self._said = 0
        self._countable = True

    def run(self) -> None:
        """From the first mail to the end, and check what everybody was told."""
        self._handle([])
        while self._session.stage and self._source.left:
            for piece in self._pieces():
                if self._session.open:
                    self._handle(self._session.receive(piece))
        self._handle(self._session.fail(self._source.choice(ENDS)))
        assert not self._session.open
        assert self._finished == self._begun, "they finish in the order in which they began"
        for number, transaction in enumerate(self._finished):
            for recipient, signal in enumerate(transaction.signals):
                assert signal, "every recipient has an answer"
                self._check(number, recipient, *signal)

    # --- the server ---------------------------------------------------------------------------------------------------

    def _pieces(self) -> list[bytes]:
        said = b"".join(self._reply() for _ in range(1 + self._source.number(4)))
        size = self._source.choice((len(said), 1, 2, 5)) or 1
        return [said[at : at + size] for at in range(0, len(said), size)]

    def _reply(self) -> bytes:
        kind = self._source.number(8)
        if kind == 7:
            self._countable = False
            return self._source.some(40)
        code, text = self._source.choice(CODES), f"#{self._said}"
        self._said += 1
        if kind == 6:
            return f"{code}-{text}\r\n{code}-{text}\n{code}\r\n".encode()
        return f"{code} {text}\r\n".encode()

    # --- the connection -----------------------------------------------------------------------------------------------

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            if not isinstance(event, BodyWanted):
                self._finished.append(event.transaction)
            elif self._source.number(16) == 15:
                self._handle(self._session.fail(Fault.EXPIRED, Stage.LOCAL))
            else:
                self._session.open_body(event.transaction, self._source.choice(BODIES))
        while self._session.idle and len(self._begun) < len(self._people):
            self._begin()
        if self._session.open:
            self._write()
            self._write_body()

    def _begin(self) -> None:
        mail = len(self._begun)
        people = [f"RCPT {mail} {number}\r\n".encode() for number in range(self._people[mail])]
        self._begun.append(
            self._session.begin([f"MAIL {mail}\r\n".encode(), *people, f"DATA {mail}\r\n".encode()])
        )
        self._write()

    def _write(self) -> None:
        for line in self._session.take_outgoing().split(b"\r\n")[:-1]:
            word, *numbers = line.decode().split()
            self._written.append(Written(word, *(map(int, numbers) if numbers else [len(self._finished)])))

    def _write_body(self) -> None:
        while self._session.body_ready and self._source.number(8) != 7:  # the kernel takes no more for now
            self._session.next_block()
            if self._session.stage is Stage.DOT:
                self._written.append(Written("DOT", len(self._finished)))
            if self._riding and self._session.may_ride and len(self._begun) < len(self._people):
                self._begin()

    # --- the laws -----------------------------------------------------------------------------------------------------

    def _check(self, mail: int, recipient: int, stage: Stage, signal: SmtpReply | Fault) -> None:
        check_verdict(classify(stage, signal), stage, signal)
        if isinstance(signal, Fault):
            return
        if stage is Stage.DOT and signal.code < 300:
            assert Written("DOT", mail) in self._written, "a success whose dot was not written"
        if not self._countable:
            return
        number = int(signal.text.partition("\n")[0].removeprefix("#"))
        if number == len(self._written):
            assert stage is Stage.BODY, "a reply that nobody asked for"
            return
        asked = self._written[number]
        assert asked.mail == mail, "another mail's reply"
        if signal.code != 421:  # which answers whatever was asked
            assert asked.word == stage.name, "another command's reply"
            assert asked.word != "RCPT" or asked.recipient == recipient, "another recipient's reply"


def run(octets: bytes) -> None:
    """One conversation."""
    Conversation(Octets(octets)).run()


OK, GO = b"\0\0\0", b"\0\0\1"
SESSION = Target(
    "session",
    run,
    (*WORDS, *(bytes((0, kind, code)) for kind in (0, 6) for code in range(len(CODES))), b"\7", b"\x0f"),
    (b"", b"\1\1\1\0\0\0" + OK * 3 + GO + OK, b"\0\0\2\1\1\1" + OK * 4 + GO + OK),
)
