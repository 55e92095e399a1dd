"""Saying aloud that the relay cannot be used, and that it can again: once each, not once a mail."""

from __future__ import annotations

import logging

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain.verdicts import Blame, Verdict


class RelayWatch:
    """Listens to the verdicts of one worker."""

    def __init__(self, config: RuntimeConfig, logger: logging.Logger) -> None:
        self._patience = config.outage_failures
        self._log = logger
        self._failures = 0
        self._down = False

    def saw(self, verdict: Verdict) -> None:
        """Note how a transaction ended. Our own configuration is told at once, the transport after some failures in a row.

        What burned an attempt is the mail's trouble too, and no outage: silence after the dot, for one.
        """
        if verdict.accepted:
            self._recover()
        elif not verdict.burns_attempt and verdict.blame in (Blame.TRANSPORT, Blame.CONFIGURATION):
            self._failures += 1
            if verdict.blame is Blame.CONFIGURATION or self._failures >= self._patience:
                self._fail(verdict)

    def _fail(self, verdict: Verdict) -> None:
        if self._down:
            return
        self._down = True
        said = verdict.fault or verdict.code
        self._log.error(
            "the relay cannot be used (%s at %s; %s is to blame): mails wait, and no attempt counts against them",
            said,
            verdict.stage,
            "our configuration" if verdict.blame is Blame.CONFIGURATION else "the transport",
        )

    def _recover(self) -> None:
        if self._down:
            self._log.warning("the relay works again")
        self._down = False
        self._failures = 0
