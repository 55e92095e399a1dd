"""Composing keeps nobody waiting: a small message is there at once, a large one is composed beside the loop."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.jinja.renderer import JinjaTemplateRenderer
from galaxy_mail.adapters.memory.senders import RecordingSmtpSender
from galaxy_mail.app import composing
from galaxy_mail.app.composing import Composer, Draft
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.addresses import Mailbox
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.leases import ClaimRequest
from galaxy_mail.domain.mime import Message, compose
from tests.app.conftest import House, build_house, live, stop
from tests.app.test_worker import Unrenewable

LARGE = 1000
PATIENCE = 60.0  # seconds


def draft(text: str) -> Draft:
    """A letter that says this."""
    sender = Mailbox.parse("Galaxy <no-reply@example.org>")
    message = Message("1@example.org", datetime(2026, 1, 1, tzinfo=UTC), sender, "A letter", text)
    return Draft(message, smtputf8=False, template_version="1", large=len(text) >= LARGE)


def composer() -> Composer:
    """One to whom a thousand octets are many."""
    return Composer(JinjaTemplateRenderer(), RuntimeConfig(large_message=LARGE))


@attrs.frozen
class Slow:
    """Composes once it may."""

    taken: list[Message] = attrs.field(factory=list)
    begun: threading.Event = attrs.field(factory=threading.Event)
    may: threading.Event = attrs.field(factory=threading.Event)

    def __call__(self, message: Message) -> bytes:
        """The message; an error if it may not within ``PATIENCE``."""
        self.taken.append(message)
        self.begun.set()
        assert self.may.wait(PATIENCE), "the loop was held up"
        return compose(message)


@given(length=st.integers(1, LARGE - 1))
def test_a_small_message_waits_for_nothing(length: int) -> None:
    """Nor does it end a turn of the loop: what was asked of the budget right before still holds."""
    with pytest.raises(StopIteration):
        composer().compose(draft("x" * length)).send(None)


@given(length=st.integers(LARGE // 5, 2 * LARGE))
def test_it_is_the_same_beside_the_loop(length: int) -> None:
    """On either side of the limit it is what the domain composes."""
    one = draft("x" * length)
    assert asyncio.run(composer().compose(one)).octets == compose(one.message)


async def test_the_loop_goes_on_beside_a_large_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It turns while a thread composes; and the next large message waits, so that threads are not a crowd."""
    slow, ours = Slow(), composer()
    monkeypatch.setattr(composing, "compose", slow)
    first, second = (asyncio.create_task(ours.compose(draft(letter * LARGE))) for letter in "ab")
    await asyncio.to_thread(slow.begun.wait, PATIENCE)
    assert not first.done()
    assert len(slow.taken) == 1
    slow.may.set()
    assert b"aaa" in (await first).octets
    assert b"bbb" in (await second).octets


async def test_who_does_not_wait_any_more_makes_no_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of a composing that was cancelled goes on, and no other begins beside it."""
    slow, ours = Slow(), composer()
    monkeypatch.setattr(composing, "compose", slow)
    for _ in range(5):
        task = asyncio.create_task(ours.compose(draft("a" * LARGE)))
        await asyncio.to_thread(slow.begun.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    last = asyncio.create_task(ours.compose(draft("b" * LARGE)))
    await asyncio.sleep(0)
    assert len(slow.taken) == 1
    slow.may.set()
    assert b"bbb" in (await last).octets
    assert len(slow.taken) == 2  # of those who had not begun, none did


def test_one_composer_serves_any_loop() -> None:
    """One after the other, as a script has them, each with some that wait for each other."""
    ours = composer()

    async def crowd() -> None:
        await asyncio.gather(*(ours.compose(draft("x" * LARGE)) for _ in range(3)))

    asyncio.run(crowd())
    asyncio.run(crowd())


async def test_leases_are_renewed_while_a_large_message_is_composed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For many leases: nobody else gets the claim, and it is sent at the first attempt."""
    text = "x" * house.service.config.large_message
    delivery_id = await house.service.enqueue_template("note", to="ada@example.org", context={"text": text})
    slow = Slow()
    monkeypatch.setattr(composing, "compose", slow)
    sender = RecordingSmtpSender()
    task = asyncio.create_task(house.worker(sender).run())
    await asyncio.to_thread(slow.begun.wait, PATIENCE)
    for _ in range(100):
        await house.clock.wait_for_sleepers(5)
        house.clock.advance(1)
    assert not await house.store.claim(ClaimRequest("other", 1, timedelta(minutes=1), 5))
    slow.may.set()
    await sender.wait_for(1)
    await stop(task)
    assert await outcomes(house, delivery_id) == [AttemptOutcome.SUCCESS]


async def test_a_lease_that_ran_out_meanwhile_is_renewed_before_the_body(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds the loop for longer than a lease, and is nobody else's yet, costs no attempt."""
    delivery_id = await house.service.enqueue_template("note", to="ada@example.org", context={"text": "x"})

    def outlast(message: Message) -> bytes:
        house.clock.advance(2 * house.service.config.lease)
        return compose(message)

    monkeypatch.setattr(composing, "compose", outlast)
    await live(house, asyncio.create_task(house.worker().run_until_empty()))
    assert await outcomes(house, delivery_id) == [AttemptOutcome.SUCCESS]


async def test_a_claim_that_its_own_worker_takes_over_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease ran out, no renewal came, and the next to claim it is the same worker: the first work on it ends."""
    house = build_house(tmp_path)
    house.store = Unrenewable(house.clock)
    house.container.store.override(house.store)
    delivery_id = await house.service.enqueue_template("note", to="ada@example.org", context={"text": "x"})
    times = iter([2 * house.service.config.lease])

    def outlast_once(message: Message) -> bytes:
        house.clock.advance(next(times, timedelta(0)))
        return compose(message)

    monkeypatch.setattr(composing, "compose", outlast_once)
    await live(house, asyncio.create_task(house.worker().run_until_empty()))
    assert (await outcomes(house, delivery_id))[-1] is AttemptOutcome.SUCCESS
    await asyncio.sleep(0)  # so that the test's own last wait is gone
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def outcomes(house: House, delivery_id: UUID) -> list[AttemptOutcome]:
    """Of its attempts."""
    return [attempt.outcome for attempt in (await house.service.show(delivery_id)).attempts]
