"""What paces the scan loop and bounds the retries, as a running service shows it."""

from __future__ import annotations

from datetime import timedelta

import attrs

from galaxy_mail.domain.settlement import RetryPolicy


@attrs.frozen
class RuntimeConfig:
    """The numbers a worker runs by; see ``docs/reference/settings.md`` for how to choose them."""

    poll_interval: timedelta = timedelta(seconds=1)  # an idle worker looks at least this often
    first_poll: timedelta = timedelta(
        milliseconds=20
    )  # how soon it looks again after it was busy; then twofold each time
    lease: timedelta = timedelta(
        seconds=10
    )  # a dead worker's claims are free after this; renewed at a third of it
    batch_size: int = 100  # claims held at once
    renewal_share: float = 1 / 3  # of a lease: when it is renewed
    recipients_per_transaction: int = 100  # RFC 5321 section 4.5.3.1.8: any server takes as many
    stop_grace: timedelta = timedelta(
        seconds=30
    )  # how long a stop waits for transactions that are past their gate
    release_timeout: timedelta = timedelta(
        seconds=10
    )  # how long a stop waits for the store to take back claims
    notice_timeout: timedelta = timedelta(seconds=30)  # how long the notifier may take
    notice_batch: int = 20  # notices told in one go
    purge_batch: int = 1_000  # deliveries that a purge deletes in one transaction
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
