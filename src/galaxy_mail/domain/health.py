"""What a doctor is told of the database and the relay: facts. What they mean is in ``diagnosis``."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from galaxy_mail.domain.verdicts import Verdict


@attrs.frozen
class Untold:
    """Ends that an administrator is still to be told of, and how long ago the first of them came."""

    number: int = 0
    oldest: timedelta | None = None


@attrs.frozen
class TableHealth:
    """Rows of a table that live, and those that are dead and not yet vacuumed away, as the database estimates them."""

    table: str
    live: int
    dead: int


@attrs.frozen
class OpenTransaction:
    """A transaction that has not ended. ``pid`` is its server process; None for a prepared one."""

    age: timedelta
    held_by: str
    pid: int | None


@attrs.frozen
class Transactions:
    """The oldest transaction that we can see, and how many sessions our role may not look into."""

    oldest: OpenTransaction | None
    hidden: int = 0


@attrs.frozen
class RelayReport:
    """How far we came with the relay: to the point where mail could be sent, unless there was ``trouble``."""

    relay: str  # host:port
    trouble: Verdict | None = None
    why: str = ""  # what the system knows of a trouble that no reply tells of: "certificate has expired"
    local: bool = False  # nothing leaves this machine
    tls: str | None = None  # the version that was agreed on; None if all is in clear
    certificate_ends: datetime | None = None
    logged_in: bool = False
