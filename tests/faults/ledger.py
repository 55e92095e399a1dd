"""The server's own book of what it took in: lean enough for a long run, since no octets are kept."""

from __future__ import annotations

import hashlib
import time

import attrs

from galaxy_mail.testing.smtp_dialogue import Copy, Ledger


@attrs.frozen
class Seen:
    """One copy. ``at`` is the wall clock's time, in seconds since the epoch; ``digest`` is of the octets."""

    queue_id: str
    message_id: str
    recipients: tuple[str, ...]
    digest: bytes
    at: float


class _Copies(list[Copy]):
    """What the scripted server believes to be its list of copies."""

    def __init__(self, seen: list[Seen]) -> None:
        super().__init__()
        self._seen = seen

    def append(self, copy: Copy) -> None:
        """Note it, and forget its octets."""
        digest = hashlib.sha256(copy.octets).digest()
        self._seen.append(Seen(copy.queue_id, copy.message_id or "", copy.recipients, digest, time.time()))
        super().append(attrs.evolve(copy, octets=b""))


class _Forgetful(list[tuple[int, bytes]]):
    def append(self, _: tuple[int, bytes]) -> None:
        """Keep nothing."""


class LeanLedger(Ledger):
    """A ``Ledger`` that keeps digests. Give it to the server before its first connection."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        super().__init__(copies=_Copies(self.seen), commands=_Forgetful())

    def queue_id_for(self, recipient: str) -> str:
        """The name of the last copy for this recipient."""
        return next(one.queue_id for one in reversed(self.seen) if recipient in one.recipients)
