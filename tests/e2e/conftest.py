"""A database schema of its own, a scripted relay, and settings that lead to both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from galaxy_mail.app import MailSettings
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer


@pytest.fixture
async def server() -> AsyncIterator[ScriptedSmtpServer]:
    """A relay; tests change its ``rules`` as they go."""
    async with ScriptedSmtpServer() as server:
        yield server


@pytest.fixture
def make_settings(
    postgres_dsn: str, schema_name: str, server: ScriptedSmtpServer, tmp_path: Path
) -> Callable[..., MailSettings]:
    """Settings for this test's schema and relay, with a template ``welcome``."""
    folder = tmp_path / "templates" / "welcome"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("Willkommen, {{ name }} ☺")
    (folder / "body.txt").write_text("Hello {{ name }}.\n")

    def make(**changes: Any) -> MailSettings:
        given: dict[str, Any] = {
            "dsn": postgres_dsn,
            "schema": schema_name,
            "smtp_url": f"smtp://{server.host}:{server.port}",
            "sender": "Galaxy <no-reply@example.org>",
            "template_dirs": [tmp_path / "templates"],
            "backoff_base": timedelta(milliseconds=20),
            "poll_interval": timedelta(milliseconds=20),
        }
        return MailSettings(**given | changes)

    return make
