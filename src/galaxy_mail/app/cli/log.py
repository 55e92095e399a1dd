"""A log that can be read after an outage of the database."""

from __future__ import annotations

import logging

from galaxy_mail.domain.errors import InfrastructureError


class OnceAMinute(logging.Filter):
    """Lets the same failure of the world pass once a minute: workers ask a database that is away every second, or oftener.

    All other lines pass, so what is told of a change is told each time.
    """

    PAUSE = 60.0

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if not any(isinstance(each, InfrastructureError) for each in record.args or ()):
            return True
        text, now = record.getMessage(), record.created
        self._told = {each: at for each, at in self._told.items() if 0 <= now - at < self.PAUSE}
        if text in self._told:
            return False
        self._told[text] = now
        return True
