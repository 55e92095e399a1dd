"""What paces the scan loop and bounds the retries, as a running service shows it."""

from __future__ import annotations

from datetime import timedelta

import attrs

from galaxy_mail.domain.outages import BreakerPolicy
from galaxy_mail.domain.settlement import RetryPolicy


@attrs.frozen
class RuntimeConfig:
    """The numbers that workers and ``purge`` run by. Those that are settings are explained in the settings' reference."""

    # An idle worker looks at least this often.
    poll_interval: timedelta = timedelta(seconds=1)
    # How soon an idle worker looks again after it was busy; then twofold each time.
    first_poll: timedelta = timedelta(milliseconds=20)
    # For how long an idle worker asks producers to ring, beyond its next looks; one that dies leaves them ringing so long.
    bell_armed: timedelta = timedelta(minutes=1)
    # When the relay is left alone, and for how long.
    breaker: BreakerPolicy = attrs.field(factory=BreakerPolicy)
    # A dead worker's claims are free after this.
    lease: timedelta = timedelta(seconds=10)
    # How often a worker keeps its sign of life, and looks for those of others.
    sign_pause: timedelta = timedelta(milliseconds=400)
    # After how many looks in a row that miss a sign its worker is gone, so that one who opens a new session is not.
    looks_in_vain: int = 3
    # After which share of a lease a worker renews it.
    renewal_share: float = 1 / 3
    # Claims held at once.
    batch_size: int = 100
    # How often a worker with enough in hand looks whether something urgent has come.
    urgent_look: timedelta = timedelta(milliseconds=10)
    # Of the claims in hand, how many are worked on at once: for each connection one on it, one that rides behind, and one ready to.
    deliveries_at_once: int = 30
    # Finished messages on their way: no further one is composed while they take up so many octets.
    octets_in_flight: int = 64 * 1024 * 1024
    # A message whose bodies have so many characters is large: one at a time of these is composed, in a thread.
    large_message: int = 64 * 1024
    # One place of a claim, and one turn, in so many is kept for a lane behind others, so that no flood stops it.
    share_behind: int = 10
    # Of the claims that a dead worker left, how many are worked on together; those that two left go one by one.
    suspects_together: int = 30
    # Recipients that share a transaction: any server takes as many (RFC 5321 section 4.5.3.1.8).
    recipients_per_transaction: int = 100
    # How long a stop waits for transactions that are past their gate.
    stop_grace: timedelta = timedelta(seconds=30)
    # How long a stop waits for the store to take back claims.
    release_timeout: timedelta = timedelta(seconds=10)
    # How long the notifier may take for one notice.
    notice_timeout: timedelta = timedelta(seconds=30)
    # So many failures in a row are the notifier's and not a notice's; from then on it is asked ever less often.
    notifier_failures: int = 3
    # In an outage of the relay, one part in so many of the time is spent on looking for what is overdue.
    sweep_share: int = 10
    # Deliveries that a purge deletes in one transaction.
    purge_batch: int = 1_000
    # Deliveries of each lane that a shape looks at.
    shape_most: int = 50_000
    # How long the doctor waits for one of its looks.
    look_timeout: timedelta = timedelta(seconds=30)
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
