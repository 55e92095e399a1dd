"""The one oracle of bad input: a typed error before the store is asked, or a message within the wire contract.

What leaves is read by parsers that share no code with what wrote it: one mail, with the header fields that were asked for,
each once, and everything in them and in the bodies as it was given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import attrs
from dependency_injector import providers

from galaxy_mail.adapters.memory import MemoryStore, MemoryTransaction
from galaxy_mail.adapters.memory.senders import RecordingSmtpSender, SentMail
from galaxy_mail.domain.errors import CallerError
from galaxy_mail.domain.mail import NewDelivery
from galaxy_mail.domain.wire import wire_contract_problem
from tests.app.conftest import House
from tests.bad_input.hostile import MARK
from tests.domain.mime_reader import by_hand, by_library, leaves_by_hand, text_by_hand, words_by_hand

FIELDS = ("Date", "From", "Reply-To", "To", "Cc", "Subject", "Message-ID", "MIME-Version", "Content-Type")


class Watched(MemoryStore):
    """A store that counts what it is asked."""

    asked = 0

    async def enqueue(self, delivery: NewDelivery, within: MemoryTransaction | None = None) -> UUID:
        """Count."""
        self.asked += 1
        return await super().enqueue(delivery, within)

    async def enqueue_many(
        self, deliveries: Sequence[NewDelivery], within: MemoryTransaction | None = None
    ) -> tuple[UUID, ...]:
        """Count."""
        self.asked += 1
        return await super().enqueue_many(deliveries, within)


@attrs.define
class Judge:
    """Takes orders, and at the end sends what was taken."""

    house: House
    store: Watched
    sender: RecordingSmtpSender = attrs.field(factory=RecordingSmtpSender)

    async def order(self, order: Callable[[House], Awaitable[object]]) -> CallerError | object:
        """The error, raised before the store was asked; or what the order returns."""
        before = self.store.asked
        try:
            taken = await order(self.house)
        except CallerError as error:
            assert self.store.asked == before, "the store was asked"
            return error
        assert self.store.asked > before
        return taken

    async def sent(self) -> dict[str, list[SentMail]]:
        """What was sent, in so many transactions, by Message-ID; all that was not sent has expired."""
        rows = self.store.rows.values()
        last = max((row.next_attempt_at for row in rows), default=self.house.clock.now())
        self.house.clock.advance(last - self.house.clock.now())
        await self.house.worker().run_until_empty()
        by_id: dict[str, list[SentMail]] = {
            f"<{row.message_id}>": [] for row in rows if row.reason != "expired"
        }
        for sent in self.sender.sent:
            by_id[by_hand(sent.message)["Message-ID"]].append(sent)
            check_sent(sent)
        assert all(by_id.values())
        return by_id


@contextmanager
def judging(house: House) -> Iterator[Judge]:
    """A judge with a store of his own, so that one mail is like another's first."""
    judge, parts = Judge(house, Watched(house.clock)), house.container
    with (
        parts.store.override(providers.Object(judge.store)),
        parts.sender.override(providers.Object(judge.sender)),
    ):
        parts.reset_singletons()
        yield judge


def check_sent(sent: SentMail) -> None:
    """One message within the wire contract, and an envelope of plain addresses."""
    raw = sent.message
    assert wire_contract_problem(raw, smtputf8=sent.envelope.smtputf8) is None
    names = by_hand(raw).names
    assert len(names) == len(set(names))
    assert set(names) <= {*FIELDS, "Content-Transfer-Encoding"}
    assert by_library(raw).keys() == names
    for address in (sent.envelope.sender, *sent.envelope.recipients):
        text = str(address)
        assert text.count("@") == 1
        assert not set(text) & set(' \t\r\n\0<>,;:()[]"\\')
        assert address.domain.isascii()
        assert text.isprintable()
    assert len(set(sent.envelope.recipients)) == len(sent.envelope.recipients)


def subject_of(sent: SentMail) -> str:
    """Its subject, decoded word by word."""
    return words_by_hand(by_hand(sent.message)["Subject"])


def body_of(sent: SentMail) -> str:
    """The first of its bodies, decoded, with LF at the end of each line."""
    return text_by_hand(leaves_by_hand(by_hand(sent.message))[0]).replace("\r\n", "\n")


def repeats_nothing(error: CallerError) -> bool:
    """Whether neither the error, nor what it drags along, holds the mark."""
    shown: list[Any] = [error, error.__cause__, error.__context__]
    return not any(MARK in f"{one}{one!r}{getattr(one, 'args', '')}" for one in shown)
