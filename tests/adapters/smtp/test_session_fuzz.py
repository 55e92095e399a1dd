"""No mail ever reads another's reply: success means that the server has the mail, and a refusal is the recipient's own.

A session talks to a server without a wire. The server refuses what it likes, and at one place it may do what no server
should: leave a reply out, say one too many, say nonsense. Octets travel in pieces of any size. What the server has said is
heard before the client goes on, for no client can tell a reply too many that arrives after its next command from that
command's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import attrs
from hypothesis import event, example, given
from hypothesis import strategies as st

from galaxy_mail.adapters.smtp.envelopes import Offers, commands, transparent
from galaxy_mail.adapters.smtp.session import Session
from galaxy_mail.adapters.smtp.transaction import BodyWanted, Event, Transaction
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.verdicts import Envelope, Fault, SmtpReply, Stage
from galaxy_mail.testing.smtp_dialogue import Dialogue, Ledger, Offered
from galaxy_mail.testing.smtp_rules import Moment, Rule, Situation, lines


@attrs.frozen
class Order:
    """A mail, and the codes by which the server refuses parts of it; None accepts."""

    recipients: tuple[int | None, ...]
    mail: int | None = None
    data: int | None = None
    dot: int | None = None


@attrs.frozen
class Nonsense:
    """What happens to the reply at the ``nth`` time of ``moment``."""

    kind: str
    moment: Moment
    nth: int


@attrs.frozen
class Plan:
    """One run."""

    orders: tuple[Order, ...]
    pipelining: bool = True
    riding: bool = True
    nonsense: Nonsense | None = None
    pieces: tuple[int, ...] = (10_000,)


def perhaps(*codes: int) -> st.SearchStrategy[int | None]:
    """Mostly None."""
    return st.sampled_from([None, None, None, *codes])


ORDERS = st.builds(
    Order,
    recipients=st.lists(st.sampled_from([None, None, 450, 550]), min_size=1, max_size=3).map(tuple),
    mail=perhaps(451, 550),
    data=perhaps(451, 554),
    dot=perhaps(451, 554),
)
NONSENSE = st.builds(
    Nonsense,
    kind=st.sampled_from(
        ["left out", "twice", "a success before", "an error behind", "garbage", "354", "421"]
    ),
    moment=st.sampled_from([Moment.MAIL, Moment.RCPT, Moment.DATA, Moment.DOT, Moment.RSET]),
    nth=st.integers(1, 4),
)
PLANS = st.builds(
    Plan,
    orders=st.lists(ORDERS, min_size=1, max_size=4).map(tuple),
    pipelining=st.booleans(),
    riding=st.booleans(),
    nonsense=st.none() | NONSENSE,
    pieces=st.lists(st.integers(1, 60), min_size=1, max_size=20).map(tuple),
)


def address(number: int, recipient: int) -> EmailAddress:
    """Whom the ``number``-th mail names."""
    return EmailAddress(f"r{number}.{recipient}", "example.org")


class Run:
    """Client, server and what travels between them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ledger = Ledger()
        self.finished: list[Transaction] = []
        self.numbers: dict[int, int] = {}  # id of a transaction -> number of its mail
        self.waiting = deque(enumerate(plan.orders))
        self.session = Session(pipelining=plan.pipelining)
        self._moment: tuple[Moment, int] | None = None
        offered = Offered(pipelining=plan.pipelining, size=None)
        self.server = Dialogue(1, offered, list(self._rules()), self.ledger, self._note)
        self._to_client = deque[bytes]()

    def _rules(self) -> Iterator[Rule]:
        for number, order in enumerate(self.plan.orders):
            for index, refused in enumerate(order.recipients):
                if refused:
                    yield self._refusal(Moment.RCPT, refused, str(address(number, index)))
            for moment, code in (
                (Moment.MAIL, order.mail),
                (Moment.DATA, order.data),
                (Moment.DOT, order.dot),
            ):
                if code:
                    yield self._refusal(
                        moment, code, f"m{number}@" if moment is Moment.MAIL else f"r{number}."
                    )

    def _refusal(self, moment: Moment, code: int, whose: str) -> Rule:
        def when(situation: Situation) -> bool:
            return whose in situation.line.decode() or any(whose in each for each in situation.recipients)

        return Rule(moment, lambda _: [lines(code, f"no {moment} of {whose}")], when, code=code)

    def _note(self, moment: Moment) -> None:
        self._moment = moment, self.ledger.moments[moment]

    # --- the wire -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until every mail is finished or the connection is."""
        sizes = iter(self.plan.pieces * 10_000)
        while self.waiting and self.session.open:
            self._begin()
            self._to_server(self.session.take_outgoing(), sizes)
            while self.session.stage:
                if not self._to_client:
                    self._handle(self.session.fail(Fault.TIMEOUT), sizes)
                    break
                self._hear(sizes)

    def _hear(self, sizes: Iterator[int]) -> None:
        events: list[Event] = []
        while self._to_client and self.session.open:
            octets = b"".join(self._to_client)
            size = next(sizes)
            self._to_client = deque([octets[size:]] if octets[size:] else [])
            events += self.session.receive(octets[:size])
        self._handle(events, sizes)

    def _handle(self, events: list[Event], sizes: Iterator[int]) -> None:
        for each in events:
            if not isinstance(each, BodyWanted):
                self.finished.append(each.transaction)
            elif self.session.open:
                self._write_body(each.transaction, sizes)
        self._to_server(self.session.take_outgoing(), sizes)

    def _write_body(self, transaction: Transaction, sizes: Iterator[int]) -> None:
        number = self.numbers[id(transaction)]
        self.session.open_body(transaction, transparent(b"Message-ID: <%d>\r\n\r\n.\r\n" % number))
        octets = bytes(self.session.next_block())
        if self.plan.riding and self.waiting and self.session.may_ride:
            self._begin()
            octets += self.session.take_outgoing()
        self._to_server(octets, sizes)

    def _begin(self) -> None:
        number, order = self.waiting.popleft()
        people = tuple(address(number, index) for index in range(len(order.recipients)))
        envelope = Envelope(EmailAddress(f"m{number}", "example.org"), people)
        lines = commands(envelope, b"", Offers())
        assert not isinstance(lines, Fault)
        transaction = self.session.begin(lines)
        self.numbers[id(transaction)] = number

    def _to_server(self, octets: bytes, sizes: Iterator[int]) -> None:
        while octets:
            size = next(sizes)
            for output in self.server.feed(octets[:size]):
                assert isinstance(output, bytes)
                self._to_client.append(self._distorted(output))
            octets = octets[size:]

    def _distorted(self, usual: bytes) -> bytes:
        nonsense = self.plan.nonsense
        if not nonsense or self._moment != (nonsense.moment, nonsense.nth):
            return usual
        event(f"{nonsense.kind} at {nonsense.moment}")
        return {
            "left out": b"",
            "twice": usual + usual,
            "a success before": b"250 one too many\r\n" + usual,
            "an error behind": usual + b"550 one too many\r\n",
            "garbage": b"<html>\r\n",
            "354": b"354 what\r\n",
            "421": b"421 bye\r\n",
        }[nonsense.kind]


def is_blind_spot(plan: Plan) -> bool:
    """Whether the dot's own reply is hidden from any client.

    It is left out while a mail rides behind it (see the end of the session's theory of operation), or the server says
    something else first, which is its word as well.
    """
    if plan.nonsense is None or plan.nonsense.moment is not Moment.DOT:
        return False
    return plan.nonsense.kind == "a success before" or (
        plan.nonsense.kind == "left out" and plan.pipelining and plan.riding
    )


@given(PLANS)
@example(Plan((Order((None, 550)), Order((None,))), nonsense=Nonsense("a success before", Moment.MAIL, 1)))
@example(Plan((Order((550,), data=554),), nonsense=Nonsense("twice", Moment.MAIL, 1)))
@example(Plan((Order((None, 550)),), nonsense=Nonsense("left out", Moment.RCPT, 1)))
@example(Plan((Order((None,)), Order((None,)), Order((550,))), nonsense=Nonsense("twice", Moment.DOT, 1)))
def test_no_mail_reads_anothers_reply(plan: Plan) -> None:
    """Whatever is refused and wherever one piece of nonsense is said, in pieces of any size."""
    run = Run(plan)
    run.run()
    kept = {copy.message_id: copy.recipients for copy in run.ledger.copies}
    assert [run.numbers[id(each)] for each in run.finished] == list(range(len(run.finished)))
    assert len(run.finished) == len(run.numbers)
    for transaction in run.finished:
        number = run.numbers[id(transaction)]
        for index, signal in enumerate(transaction.signals):
            assert signal, "every recipient has an answer"
            check(plan, number, str(address(number, index)), *signal, kept)
    if not plan.nonsense:
        assert len(run.finished) == len(plan.orders)
        assert run.session.open


def check(
    plan: Plan,
    number: int,
    recipient: str,
    stage: Stage,
    signal: SmtpReply | Fault,
    kept: dict[str | None, tuple[str, ...]],
) -> None:
    """What one recipient was told is true."""
    if isinstance(signal, Fault) or signal.code == 421:
        return
    if stage is Stage.DOT:
        if signal.code < 300:
            assert is_blind_spot(plan) or recipient in kept.get(str(number), ()), "success without a copy"
        else:
            assert is_blind_spot(plan) or signal.text == f"no dot of r{number}."
    elif stage is Stage.RCPT:
        assert signal.text == f"no rcpt of {recipient}", "another recipient's refusal"
    elif stage is Stage.DATA:
        assert signal.text in (f"no data of r{number}.", "5.5.1 no valid recipients")


@given(PLANS)
def test_how_octets_are_cut_changes_nothing(plan: Plan) -> None:
    """In pieces or whole, the same mails finish with the same signals, and the server sees the same commands."""
    whole, cut = Run(attrs.evolve(plan, pieces=(10_000,))), Run(plan)
    whole.run()
    cut.run()
    assert [each.signals for each in cut.finished] == [each.signals for each in whole.finished]
    assert cut.ledger.commands == whole.ledger.commands
    assert cut.ledger.copies == whole.ledger.copies


@given(
    st.booleans(),
    st.lists(
        st.sampled_from([b"250 ok\r\n", b"354 go\r\n", b"550 no\r\n", b"250-", b"4"]) | st.binary(max_size=9)
    ),
)
def test_any_octets_end_in_an_answer_for_everybody(pipelining: bool, pieces: list[bytes]) -> None:
    """A stranger's octets raise nothing, and once the connection ends each recipient has a signal."""
    session = Session(pipelining=pipelining)
    transaction = session.begin([b"MAIL\r\n", b"RCPT\r\n", b"RCPT\r\n", b"DATA\r\n"])
    for piece in pieces:
        session.take_outgoing()
        for each in session.receive(piece):
            if isinstance(each, BodyWanted):
                session.open_body(each.transaction, b".\r\n")
                session.next_block()
    session.fail(Fault.CLOSED)
    assert transaction.decided
    assert not session.open
