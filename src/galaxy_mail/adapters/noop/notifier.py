"""The AdminNotifier of a deployment that has wired none."""

from __future__ import annotations

import logging

from galaxy_mail.domain.notices import AnyNotice
from galaxy_mail.domain.text import escaped

MAX_LINE = 500


class NoopAdminNotifier:
    """Tells nobody: it logs one line at INFO, so that a dead letter leaves a trace, and does nothing."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("galaxy_mail.notices")

    async def notify(self, notice: AnyNotice) -> None:
        """Log the notice's headline; never raises."""
        self._logger.info("no admin notifier is wired: %s", escaped(notice.headline, MAX_LINE))
