"""An outage of the database is told once a minute, and hides nothing else."""

from __future__ import annotations

import logging

from galaxy_mail.app.cli.log import OnceAMinute
from galaxy_mail.domain.errors import StoreUnavailable

AWAY, SLOW = StoreUnavailable("claim", kind="ConnectionRefusedError"), StoreUnavailable("claim", "57014")


def told(log: OnceAMinute, at: float, text: str, *args: object) -> bool:
    """Whether the line of that moment, in seconds, passes."""
    record = logging.LogRecord("galaxy_mail", logging.WARNING, "", 0, text, args, None)
    record.created = at
    return log.filter(record)


def test_the_same_failure_is_told_once_a_minute() -> None:
    """Another one, or the same in other words, at once."""
    log = OnceAMinute()
    assert told(log, 1000, "cannot claim: %s", AWAY)
    assert told(log, 1000, "cannot claim: %s", SLOW)
    assert told(log, 1000, "cannot read notices: %s", AWAY)
    assert not told(log, 1000, "cannot claim: %s", AWAY)
    assert not told(log, 1059.9, "cannot claim: %s", AWAY)
    assert told(log, 1060, "cannot claim: %s", AWAY)
    assert not told(log, 1061, "cannot claim: %s", AWAY)


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    """What was told in the future is told again."""
    log = OnceAMinute()
    assert told(log, 5000, "cannot claim: %s", AWAY)
    assert told(log, 1000, "cannot claim: %s", AWAY)


def test_what_is_no_failure_of_the_world_is_told_each_time() -> None:
    """Else a change, and the change back, would be one line."""
    log = OnceAMinute()
    for _ in range(2):
        assert told(log, 0, "new mail is %s", "found by polling")
        assert told(log, 0, "the relay works again")
        assert told(log, 0, "with %(names)s", {"names": "values"})
