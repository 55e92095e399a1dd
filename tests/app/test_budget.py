"""Memory is bounded by what is on its way, however many mails are due and however large they are."""

from __future__ import annotations

import asyncio
import weakref
from datetime import datetime

import attrs
import pytest
from dependency_injector import providers
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.memory.senders import RecordingSmtpSender
from galaxy_mail.app.budget import Budget
from galaxy_mail.app.composing import Composer, Draft
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.mail import Mail
from galaxy_mail.domain.ports import Gate, TemplateRenderer
from galaxy_mail.domain.verdicts import Envelope, Receipt
from tests.app.conftest import House, live

LIMIT = 100_000


@given(sizes=st.lists(st.integers(1, 200), max_size=30), limit=st.integers(1, 300))
def test_everybody_has_room_in_the_end_and_one_at_most_goes_over(sizes: list[int], limit: int) -> None:
    """Whoever begins finds less than the limit on its way; nobody waits for ever."""
    seen: list[int] = []

    async def send(budget: Budget, size: int) -> None:
        await budget.room()
        with budget.spent(size):
            seen.append(budget._spent - size)
            await asyncio.sleep(0)

    async def run() -> None:
        budget = Budget(limit)
        await asyncio.gather(*(send(budget, size) for size in sizes))
        assert budget._spent == 0

    asyncio.run(run())
    assert len(seen) == len(sizes)
    assert all(before < limit for before in seen)


class Remembering(Composer):
    """Knows how many of its drafts there are."""

    def __init__(self, renderer: TemplateRenderer, config: RuntimeConfig) -> None:
        super().__init__(renderer, config)
        self._made: list[weakref.ref[Draft]] = []

    @property
    def drafts(self) -> int:
        """Those that somebody keeps."""
        return sum(made() is not None for made in self._made)

    def draft(self, mail: Mail, dated: datetime) -> Draft:
        """See ``Composer.draft``."""
        draft = super().draft(mail, dated)
        self._made.append(weakref.ref(draft))
        return draft


class Weighing(RecordingSmtpSender):
    """Knows how many octets were with it at most when one more came, and how many drafts."""

    def __init__(self, composer: Remembering) -> None:
        super().__init__()
        self._composer = composer
        self.inside = 0
        self.heaviest = 0
        self.drafts = 0

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """Take it, after a few turns of the loop."""
        self.heaviest = max(self.heaviest, self.inside)
        self.drafts = max(self.drafts, self._composer.drafts)
        self.inside += len(message)
        for _ in range(20):
            await asyncio.sleep(0)
        self.inside -= len(message)
        return await super().send(envelope, message, gate)


@pytest.mark.parametrize("large", [1_000, 10_000_000], ids=["in a thread", "in the loop"])
async def test_large_mails_do_not_pile_up_in_a_worker(house: House, large: int) -> None:
    """Twenty may be under way at once, but not twenty large ones; nor do they wait rendered, but for the one that is composed."""
    runtime = attrs.evolve(house.container.settings().runtime, octets_in_flight=LIMIT, large_message=large)
    composer = Remembering(house.container.renderer(), runtime)
    house.container.composer.override(providers.Object(composer))
    house.container.worker.add_kwargs(config=runtime)
    house.container.worker.kwargs["delivery_pass"].add_kwargs(config=providers.Object(runtime))
    for i in range(30):
        text = ".\n" * (8_000 if i != 7 else LIMIT)
        await house.service.enqueue_template("note", to=f"u{i}@example.org", context={"text": text})
    sender = Weighing(composer)
    await live(house, asyncio.create_task(house.worker(sender).run_until_empty()))
    assert len(sender.sent) == 30
    assert 0 < sender.heaviest < LIMIT
    assert sender.drafts <= 2  # one that is composed, and one that came while its turn was passed on
