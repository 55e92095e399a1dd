"""Settings: given once, validated at the edge, with all problems named at once and secrets masked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.relay_url import Relay, parse_relay
from galaxy_mail.app.settings_checks import list_problems, text_problems
from galaxy_mail.domain.addresses import Mailbox
from galaxy_mail.domain.backoff import BackoffPolicy
from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.outages import BreakerPolicy
from galaxy_mail.domain.settlement import RetryPolicy
from galaxy_mail.domain.verdict_overrides import parse_overrides
from galaxy_mail.domain.verdict_table import VerdictTable

_DAY = timedelta(days=1)


def masked_url(url: str | None) -> str:
    """A URL for the eye: its password, if it has one, as ``***``, and its query whole, since a password may be in there."""
    if url is None:
        return "None"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "***"
    # Perhaps the end of a password with a / ? or # in it.
    if "@" in parts.path + parts.query + parts.fragment:
        return f"{parts.scheme}://***"
    userinfo, at, host = parts.netloc.rpartition("@")
    user, colon, _ = userinfo.partition(":")
    return parts._replace(
        netloc=f"{user}{colon and ':***'}{at}{host}",
        query=parts.query and "***",
        fragment=parts.fragment and "***",
    ).geturl()


def _between(low: Any, high: Any) -> Callable[[Any], bool]:
    return lambda value: low <= value <= high


# name -> type, what is allowed, and how to say it
_RANGES: dict[str, tuple[type | tuple[type, ...], Callable[[Any], bool], str]] = {
    "poll_interval": (timedelta, _between(timedelta(milliseconds=10), timedelta(hours=1)), "10 ms to 1 h"),
    "lease": (timedelta, _between(timedelta(seconds=1), timedelta(hours=1)), "1 s to 1 h"),
    "batch_size": (int, _between(1, 10_000), "1 to 10,000"),
    "connections": (int, _between(1, 1_000), "1 to 1,000"),
    "stop_grace": (timedelta, _between(timedelta(0), timedelta(hours=1)), "0 to 1 h"),
    "max_attempts": (int, _between(1, 1_000), "1 to 1,000"),
    "max_age": (timedelta, _between(timedelta(seconds=1), 366 * _DAY), "1 s to 366 days"),
    "abandoned_limit": (int, _between(1, 1_000), "1 to 1,000"),
    "backoff_base": (timedelta, _between(timedelta(milliseconds=1), _DAY), "1 ms to 1 day"),
    "backoff_factor": ((int, float), _between(1.0, 100.0), "1 to 100"),
    "backoff_cap": (timedelta, _between(timedelta(milliseconds=1), 31 * _DAY), "1 ms to 31 days"),
    "backoff_jitter": ((int, float), _between(0.0, 0.99), "0 to 0.99"),
}


@attrs.frozen(kw_only=True)
class MailSettings:
    """Everything a deployment decides; what a setting means stands above it, and on ``docs/reference/settings.md``.

    ``smtp_url`` is explained in ``relay_url``. ``dsn`` may be left out where the host gives its own pool.

    Raises:
        InvalidSettings: with every problem, one a line.
    """

    # where mail goes: `smtp://…` or `smtps://…`, with a user and a password where the relay asks for them
    smtp_url: str = attrs.field(repr=masked_url)
    # the From of every mail: an address, or `Name <address>`
    sender: str
    # the database, `postgresql://…`; without it the command line starts an embedded PostgreSQL
    dsn: str | None = attrs.field(default=None, repr=masked_url)
    # the database schema that holds the outbox
    schema: str = "galaxy_mail"
    # off behind pgbouncer in transaction mode
    statement_cache: bool = True
    # the certificates to trust instead of the system's (PEM)
    smtp_ca_file: str | Path | None = None
    # what EHLO says; by default the name of this host
    smtp_local_hostname: str | None = None
    # what your relay means by some refusals, where the [table](verdicts.md) is wrong about it: [lines](../howto/run-workers.md#when-your-relay-means-something-else) such as `rcpt 550/5.7.606 -> transient policy keep`
    verdicts: Sequence[str] = ()
    # folders of templates, searched in this order before the built-in ones
    template_dirs: Sequence[str | Path] = ()
    # addresses that are told of dead letters by mail, over a direct SMTP connection
    admins: Sequence[str] = ()
    # without admins, write an error to the log for each dead letter
    log_notices: bool = False

    # after so many attempts that count, a delivery is given up as `exhausted`
    max_attempts: int = 12
    # a delivery that is older is given up as `aged_out`, whatever delayed it
    max_age: timedelta = 5 * _DAY
    # after so many workers that fell silent holding it, a delivery is given up as `poison`
    abandoned_limit: int = 5
    # the delay after the first failure
    backoff_base: timedelta = timedelta(seconds=5)
    # how many times longer each further delay is
    backoff_factor: float = 2.0
    # no delay is longer than this, before the jitter
    backoff_cap: timedelta = timedelta(hours=1)
    # a delay is shortened or lengthened by at most this share of it
    backoff_jitter: float = 0.25

    # an idle worker looks again after this
    poll_interval: timedelta = timedelta(seconds=1)
    # the claims of a dead worker are free after this; a living one renews them at a third of it
    lease: timedelta = timedelta(seconds=10)
    # claims that a worker holds at once
    batch_size: int = 100
    # SMTP connections that a worker holds at most
    connections: int = 10
    # how long a stop waits for transactions whose body has begun
    stop_grace: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        problems = [*_range_problems(self), *text_problems(self), *list_problems(self)]
        if problems:
            raise InvalidSettings(problems)

    @property
    def relay(self) -> Relay:
        """Where mail goes."""
        return parse_relay(self.smtp_url)

    @property
    def sender_mailbox(self) -> Mailbox:
        """Who it comes from."""
        return Mailbox.parse(self.sender, "sender")

    @property
    def verdict_table(self) -> VerdictTable:
        """What the relay's replies mean."""
        return VerdictTable(parse_overrides(self.verdicts))

    @property
    def runtime(self) -> RuntimeConfig:
        """The part that paces and bounds a worker."""
        backoff = BackoffPolicy(self.backoff_base, self.backoff_factor, self.backoff_cap, self.backoff_jitter)
        outage = attrs.evolve(
            backoff, cap=max(backoff.base, min(backoff.cap, RetryPolicy().outage_backoff.cap))
        )
        return RuntimeConfig(
            poll_interval=self.poll_interval,
            lease=self.lease,
            batch_size=self.batch_size,
            deliveries_at_once=3 * self.connections,
            stop_grace=self.stop_grace,
            breaker=BreakerPolicy(cool_down=outage, probe_hold=self.lease),
            retry=RetryPolicy(
                max_attempts=self.max_attempts,
                max_age=self.max_age,
                abandoned_limit=self.abandoned_limit,
                backoff=backoff,
                outage_backoff=outage,
            ),
        )


def _range_problems(settings: MailSettings) -> list[str]:
    problems = []
    for name, (kind, allowed, words) in _RANGES.items():
        value = getattr(settings, name)
        if not isinstance(value, kind) or isinstance(value, bool) or not allowed(value):
            expected = "a timedelta" if kind is timedelta else "a number"
            problems.append(f"{name}: must be {expected} from {words}")
    if not problems and settings.backoff_base > settings.backoff_cap:
        problems.append("backoff_base: is longer than backoff_cap")
    return problems
