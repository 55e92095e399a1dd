"""The app on adapters in memory: wired by the container, as a host's own tests would wire it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from dependency_injector import providers

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.adapters.entropy.seeded import SeededEntropy
from galaxy_mail.adapters.memory import MemoryStore, MemoryTransaction
from galaxy_mail.adapters.memory.notifier import RecordingAdminNotifier
from galaxy_mail.adapters.memory.senders import RecordingSmtpSender
from galaxy_mail.app import MailContainer, MailService, MailSettings, RuntimeConfig, Worker
from galaxy_mail.app.sign_of_life import SignOfLife
from galaxy_mail.domain.ports import SmtpSender

TEMPLATES = {
    "welcome/subject.txt": "Welcome, {{ name }}",
    "welcome/body.txt": "Hello {{ name }}, good to have you.",
    "welcome/body.html": "<p>Hello {{ name }}, good to have you.</p>",
    "note/subject.txt": "A note",
    "note/body.txt": "{{ text }}",
}


@attrs.define
class House:
    """galaxy_mail with everything in memory, and a hand on each part."""

    container: MailContainer
    clock: ManualClock
    store: MemoryStore
    notifier: RecordingAdminNotifier
    templates: Path

    @property
    def service(self) -> MailService[MemoryTransaction]:
        """The service over the store in memory."""
        service: MailService[MemoryTransaction] = self.container.service()
        return service

    def worker(self, sender: SmtpSender | None = None) -> Worker:
        """A new worker, on ``sender`` or on one that accepts everything."""
        if sender is not None:
            self.container.sender.override(providers.Object(sender))
        worker: Worker = self.container.worker()
        return worker


def build_house(templates: Path, **settings: Any) -> House:
    """A house with templates in ``templates`` and the given settings."""
    for name, text in TEMPLATES.items():
        (templates / name).parent.mkdir(exist_ok=True)
        (templates / name).write_text(text)
    clock = ManualClock()
    container = MailContainer(
        settings=MailSettings(
            smtp_url="smtp://127.0.0.1:1",
            sender="Galaxy <no-reply@example.org>",
            template_dirs=[templates],
            **settings,
        )
    )
    house = House(container, clock, MemoryStore(clock), RecordingAdminNotifier(), templates)
    container.clock.override(providers.Object(clock))
    container.entropy.override(providers.Object(SeededEntropy(1)))
    container.store.override(providers.Object(house.store))
    container.sender.override(providers.Object(RecordingSmtpSender()))
    container.notifier.override(providers.Object(house.notifier))
    return house


def no_sign(clock: ManualClock) -> SignOfLife:
    """The life of a worker that never took a sign."""
    return SignOfLife(bell=MemoryStore(clock).bell(), clock=clock, config=RuntimeConfig())


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a worker, as a host would, and see it pass the cancellation on."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def live(house: House, task: asyncio.Task[None]) -> None:
    """Let time pass whenever all five loops of a worker have nothing to do but wait for it."""
    while not task.done():
        asleep = asyncio.ensure_future(house.clock.wait_for_sleepers(5))
        await asyncio.wait({task, asleep}, return_when=asyncio.FIRST_COMPLETED)
        if not asleep.cancel():
            house.clock.advance(0.5)
    await task


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A fresh house; nothing may be left open in its store."""
    house = build_house(tmp_path)
    yield house
    assert house.store.open_transactions == 0
