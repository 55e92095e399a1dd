"""A relay without a socket: it goes through the stages of RFC 5321, says any word of the verdict table, and keeps a ledger.

What has left a worker is the relay's: it takes a message even if the worker dies or freezes meanwhile, since the last
octets may have been in the kernel's hands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Envelope, Fault, Receipt, SmtpReply, Stage
from tests.simulation.ledger import Body, Ledger
from tests.simulation.loop import NATURE, Process, VirtualLoop
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Weather
from tests.simulation.words import GREYLISTED, NO_SUCH_USER, OPENING, Word, ambiguous, ends_the_talk

DATA_BUDGET = 10.0  # seconds that the relay waits for a body it has asked for
GREY = 5.0  # seconds for which a stranger is put off
NOBODY = "nobody@"  # no address that begins so exists

Conversation = list[Word | None]


class Relay:
    """One relay for all workers."""

    def __init__(
        self,
        loop: VirtualLoop,
        weather: Weather,
        timeline: Timeline,
        on_body: Callable[[str, str], None],
    ) -> None:
        self.ledger = Ledger()
        self.on_body = on_body  # told the Message-ID and the worker
        self.weather = weather
        self.loop = loop
        self.timeline = timeline
        self._seen: dict[tuple[str, str], float] = {}

    def greylists(self, message_id: str, recipient: str) -> bool:
        """Whether this pair is seen for the first time, or too soon after it."""
        now = self.loop.time()
        return self.weather.greylisting and now < self._seen.setdefault((message_id, recipient), now) + GREY


class SimulatedSender:
    """One worker's SmtpSender."""

    def __init__(self, relay: Relay, process: Process, dice: Random) -> None:
        self._relay = relay
        self._loop = relay.loop
        self._weather = relay.weather
        self._process = process
        self._dice = dice

    async def aclose(self) -> None:
        """Nothing is open."""

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """See ``SmtpSender.send``."""
        mishap = self._weather.mishap(self._dice, self._loop.time())
        said: Conversation = [None] * len(envelope.recipients)
        last = await self._talk(
            Body(message, tuple(map(str, envelope.recipients)), 0.0, ""), said, gate, mishap
        )
        words = [word or last for word in said]
        self._relay.timeline.note(self._process.name, "hears {}", [_told(word) for word in words])
        self._process.reaches("answered")
        taken = last[0] is Stage.DOT and isinstance(last[1], SmtpReply) and last[1].code // 100 == 2
        queue_id = last[1].text.rpartition(" ")[2] if taken and isinstance(last[1], SmtpReply) else None
        return Receipt(tuple(classify(*word) for word in words), queue_id if None in said else None)

    async def _talk(self, body: Body, said: Conversation, gate: Gate, mishap: Word | None) -> Word:
        """Fill in what was said of single recipients; return what was said of all others."""
        for stage in (*OPENING, Stage.LOCAL, Stage.MAIL):
            if stage in (Stage.CONNECT, Stage.MAIL) or (mishap and stage is mishap[0]):
                await self._step()
            if mishap and stage is mishap[0]:
                return await self._fails(mishap)
        if last := await self._name_recipients(body, said):
            return last
        await self._step()
        if mishap and mishap[0] is Stage.DATA:
            return await self._fails(mishap)
        if fault := gate():
            return Stage.LOCAL, fault
        accepted = tuple(r for r, word in zip(body.recipients, said, strict=True) if word is None)
        begun = Body(body.octets, accepted, self._loop.time(), self._process.name)
        self._relay.timeline.note(self._process.name, "begins the body of {}", begun.message_id)
        self._relay.on_body(begun.message_id, begun.sender)
        self._process.reaches("body")
        return await self._deliver(begun, mishap)

    async def _name_recipients(self, body: Body, said: Conversation) -> Word | None:
        await self._step()
        for n, recipient in enumerate(body.recipients):
            signal = self._weather.about_recipient(self._dice, self._loop.time())
            if recipient.startswith(NOBODY):
                signal = NO_SUCH_USER
            elif self._relay.greylists(body.message_id, recipient):
                signal = GREYLISTED
            if ends_the_talk(signal):
                return await self._fails((Stage.RCPT, signal))
            if isinstance(signal, SmtpReply) and signal.code >= 400:
                said[n] = (Stage.RCPT, signal)
        return None if None in said else (Stage.RCPT, NO_SUCH_USER)

    async def _step(self) -> None:
        await self._loop.pause(self._weather.pause(self._dice, self._loop.time()))

    async def _fails(self, word: Word) -> Word:
        if word[1] is Fault.TIMEOUT:
            await self._loop.pause(self._dice.choice((1.0, 5.0, 15.0)))
        return word

    # --- the body ----------------------------------------------------------------------------------------------------

    async def _deliver(self, body: Body, mishap: Word | None) -> Word:
        answer: asyncio.Future[Word] = self._loop.create_future()
        lasts = min(self._weather.pause(self._dice, self._loop.time()), DATA_BUDGET)
        self._loop.call_later(lasts, self._arrives, body, mishap, answer, context=NATURE)
        return await answer

    def _arrives(self, body: Body, mishap: Word | None, answer: asyncio.Future[Word]) -> None:
        """The dot is due at the relay, if it was all in the kernel's hands or the worker still runs."""
        written = self._dice.random() < 0.5
        if not written and not self._process.alive:
            return
        if not written and self._process.frozen:
            self._process.on_return(lambda: self._arrives(body, mishap, answer))
        elif self._loop.time() > body.begun + DATA_BUDGET:
            self._answer(answer, (self._dice.choice((Stage.BODY, Stage.DOT)), Fault.CLOSED))
        elif mishap and mishap[0] in (Stage.BODY, Stage.DOT):
            self._goes_wrong(body, mishap, answer)
        else:
            queue_id = self._take(body)
            self._answer(answer, (Stage.DOT, SmtpReply(250, f"2.0.0 Ok: queued as {queue_id}")))

    def _goes_wrong(self, body: Body, mishap: Word, answer: asyncio.Future[Word]) -> None:
        if ambiguous(*mishap) and self._dice.random() >= self._weather.loses_ambiguous:
            self._take(body)
        self._answer(answer, mishap)

    def _take(self, body: Body) -> str:
        queue_id = self._relay.ledger.take(body, self._loop.time())
        self._relay.timeline.note(
            "relay", "takes {} as {} for {}", body.message_id, queue_id, body.recipients
        )
        return queue_id

    def _answer(self, answer: asyncio.Future[Word], word: Word) -> None:
        delay = self._weather.pause(self._dice, self._loop.time())
        if word[1] is Fault.TIMEOUT:
            delay += self._dice.choice((1.0, 5.0, 15.0))
        self._loop.call_later(delay, _tell, answer, word, context=NATURE)


def _tell(answer: asyncio.Future[Word], word: Word) -> None:
    if not answer.done():
        answer.set_result(word)


def _told(word: Word) -> str:
    stage, signal = word
    return f"{stage}: {signal.code} {signal.text}" if isinstance(signal, SmtpReply) else f"{stage}: {signal}"
