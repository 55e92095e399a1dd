"""An outage of the relay is told once when it begins and once when it ends."""

from __future__ import annotations

import logging

import pytest

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.relay_watch import RelayWatch
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, SmtpReply, Stage

ACCEPTED = classify(Stage.DOT, SmtpReply(250, "2.0.0 ok"))
DOWN = classify(Stage.CONNECT, Fault.UNREACHABLE)
WRONG_PASSWORD = classify(Stage.AUTH, SmtpReply(535, "5.7.8 no"))
REFUSED = classify(Stage.RCPT, SmtpReply(550, "5.1.1 no"))


@pytest.fixture
def watch() -> RelayWatch:
    """A watch on a relay that works."""
    return RelayWatch(RuntimeConfig(), logging.getLogger("test.relay"))


def test_an_outage_is_told_once_and_its_end_once(watch: RelayWatch, caplog: pytest.LogCaptureFixture) -> None:
    """However many mails meet it; a second outage is told anew."""
    for _ in range(2):
        for verdict in [DOWN] * 50 + [ACCEPTED] * 3:
            watch.saw(verdict)
    told = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == [logging.ERROR, logging.WARNING] * 2
    assert "unreachable at connect; the transport is to blame" in told[0][1]


def test_a_single_failure_is_weather(watch: RelayWatch, caplog: pytest.LogCaptureFixture) -> None:
    """Fewer in a row than it takes are not told; a refused recipient is no failure of the relay, nor its recovery."""
    for verdict in ([DOWN] * (RuntimeConfig().outage_failures - 1) + [ACCEPTED]) * 3 + [REFUSED] * 50:
        watch.saw(verdict)
    assert not caplog.records


def test_a_wrong_password_is_told_at_once(watch: RelayWatch, caplog: pytest.LogCaptureFixture) -> None:
    """Waiting for a fifth one would only hide it."""
    watch.saw(WRONG_PASSWORD)
    (record,) = caplog.records
    assert "535 at auth; our configuration is to blame" in record.getMessage()


def test_silence_after_the_dot_is_no_outage(watch: RelayWatch, caplog: pytest.LogCaptureFixture) -> None:
    """It burns attempts, so the log may not say that none counts."""
    for _ in range(50):
        watch.saw(classify(Stage.DOT, Fault.TIMEOUT))
    assert not caplog.records
