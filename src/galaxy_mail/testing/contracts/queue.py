"""The laws of the Queue port, all of them; they are told in six modules."""

from __future__ import annotations

from galaxy_mail.testing.contracts.queue_claims import QueueClaims
from galaxy_mail.testing.contracts.queue_contention import QueueContention
from galaxy_mail.testing.contracts.queue_leases import QueueLeases
from galaxy_mail.testing.contracts.queue_notices import QueueNotices
from galaxy_mail.testing.contracts.queue_outages import QueueOutages
from galaxy_mail.testing.contracts.queue_settlements import QueueSettlements


class QueueContract(QueueClaims, QueueLeases, QueueSettlements, QueueNotices, QueueOutages, QueueContention):
    """What every Queue does. Override ``harness``."""
