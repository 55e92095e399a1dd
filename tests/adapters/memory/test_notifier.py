from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from galaxy_mail.adapters.memory.notifier import RecordingAdminNotifier
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.ports import AdminNotifier
from galaxy_mail.testing.contracts.admin_notifier import AdminNotifierContract

NOTICE = Notice(
    UUID(int=1),
    DeliveryStatus.DEAD_LETTERED,
    DeadLetterReason.REFUSED,
    "welcome",
    attempts=1,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    ended_at=datetime(2026, 1, 2, tzinfo=UTC),
)


class TestRecordingAdminNotifier(AdminNotifierContract):
    @pytest.fixture
    def notifier(self) -> AdminNotifier:
        """One that a test can ask."""
        return RecordingAdminNotifier()


async def test_it_keeps_what_it_was_told_in_order() -> None:
    """Every notice is kept, repetitions too."""
    notifier = RecordingAdminNotifier()
    await notifier.notify(NOTICE)
    await notifier.notify(NOTICE)
    assert notifier.notices == notifier.calls == [NOTICE, NOTICE]


async def test_waiting_returns_with_the_last_notice_asked_for() -> None:
    """``wait_for(2)`` is not content with one notice."""
    notifier = RecordingAdminNotifier()
    waiting = asyncio.create_task(notifier.wait_for(2))
    await notifier.notify(NOTICE)
    await asyncio.sleep(0)
    assert not waiting.done()
    await notifier.notify(NOTICE)
    await waiting
    assert len(notifier.notices) == 2


async def test_it_raises_what_it_is_told_to_until_it_recovers() -> None:
    """A failing notifier has been called and has told nothing."""
    notifier = RecordingAdminNotifier()
    notifier.fail_with(OSError("no way out"))
    with pytest.raises(OSError, match="no way out"):
        await notifier.notify(NOTICE)
    assert (notifier.calls, notifier.notices) == ([NOTICE], [])
    notifier.recover()
    await notifier.notify(NOTICE)
    assert notifier.notices == [NOTICE]


async def test_it_hangs_until_it_recovers() -> None:
    """A hanging call can be waited for, and is answered once the notifier recovers."""
    notifier = RecordingAdminNotifier()
    notifier.hang()
    hanging = asyncio.create_task(notifier.notify(NOTICE))
    await notifier.wait_for_calls(1)
    await asyncio.sleep(0)
    assert not hanging.done()
    assert notifier.notices == []
    notifier.recover()
    await hanging
    assert notifier.notices == [NOTICE]


async def test_its_repr_shows_what_it_saw() -> None:
    """A failing test prints how much was told."""
    notifier = RecordingAdminNotifier()
    await notifier.notify(NOTICE)
    assert repr(notifier) == "<RecordingAdminNotifier told 1 of 1 calls>"
