"""How much of everything. QUICK asks the same questions of smaller tables, and some questions less often."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Sizes:
    """Numbers of mails or rows, unless said otherwise."""

    repetitions: int = 3
    peer_repetitions: int = 3
    drain: int = 20_000  # by ours, for each repetition
    peer_seconds: float = 10.0  # about so long a peer drains, for each repetition
    latency: int = 300
    enqueue: int = 3_000
    enqueue_16: int = 16_000
    bulk: int = 40_000
    wire: int = 40_000
    history: int = 2_000_000  # terminal rows
    due: int = 200_000  # to drain beside them
    xmin: int = 100_000  # drained while a transaction is held open
    terminal: int = 10_000_000
    live: int = 10_000
    behind: int = 100_000  # bulk mails before the login codes
    codes: int = 200
    remote: int = 150  # by ours; a third of it by aiosmtplib
    recoveries: int = 3


FULL = Sizes()
QUICK = Sizes(
    repetitions=2,
    peer_repetitions=1,
    drain=3_000,
    peer_seconds=0.8,
    latency=60,
    enqueue=500,
    enqueue_16=2_000,
    bulk=8_000,
    wire=10_000,
    history=50_000,
    due=3_000,
    xmin=3_000,
    terminal=250_000,
    live=2_000,
    behind=10_000,
    codes=60,
    remote=45,
    recoveries=1,
)
