"""Opening and closing galaxy_mail on its own."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import attrs
import pytest

from galaxy_mail.app.opening import open_mail
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.domain.errors import InvalidSettings, StoreUnavailable
from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdicts import Envelope, Receipt

SETTINGS = MailSettings(smtp_url="smtp://127.0.0.1:1", sender="no-reply@example.org")


class StuckSender:
    """A sender whose server never answers: closing it would take for ever."""

    def __init__(self) -> None:
        self.closing = False
        self.left_alone = False

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """Not asked here."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Wait for a server that is silent."""
        self.closing = True
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.left_alone = True


async def test_a_server_that_hangs_does_not_keep_us(postgres_dsn: str) -> None:
    """Leaving asks the sender to close, and goes on without it after ``stop_grace``."""
    sender = StuckSender()
    settings = MailSettings(
        dsn=postgres_dsn,
        smtp_url=SETTINGS.smtp_url,
        sender=SETTINGS.sender,
        stop_grace=timedelta(milliseconds=1),
    )
    async with open_mail(settings) as mail:
        mail.container.sender.override(sender)
    assert (sender.closing, sender.left_alone) == (True, True)


async def test_without_a_database_nothing_opens() -> None:
    """The error names the setting."""
    with pytest.raises(InvalidSettings, match="dsn"):
        async with open_mail(SETTINGS):
            pass


async def test_a_database_that_is_away_stops_all_but_the_lazy() -> None:
    """Whoever wants to tell of it opens all the same, and is told at the first use."""
    away = attrs.evolve(SETTINGS, dsn="postgresql://nobody@127.0.0.1:1/nowhere")
    with pytest.raises(StoreUnavailable):
        async with open_mail(away):
            pass
    async with open_mail(away, lazy=True) as mail:
        with pytest.raises(StoreUnavailable):
            await mail.service.stats()
