"""Saying aloud that the relay cannot be used, and that it can again: once each, not once a mail."""

from __future__ import annotations

import logging

from galaxy_mail.domain.verdicts import Blame, Verdict

FAILURES_IN_A_ROW = 5  # a single one is weather


class RelayWatch:
    """Listens to the verdicts of one worker."""

    def __init__(self, logger: logging.Logger) -> None:
        self._log = logger
        self._failures = 0
        self._down = False

    def saw(self, verdict: Verdict) -> None:
        """Note how a transaction ended. Our own configuration is told at the first failure, the transport at the fifth."""
        if verdict.accepted:
            self._recover()
        elif verdict.blame in (Blame.TRANSPORT, Blame.CONFIGURATION):
            self._failures += 1
            if verdict.blame is Blame.CONFIGURATION or self._failures >= FAILURES_IN_A_ROW:
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
