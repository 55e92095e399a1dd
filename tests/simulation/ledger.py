"""What the relay really took: the other side of the books, kept by nobody whom we test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b

import attrs

_MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>\r$", re.MULTILINE | re.IGNORECASE)
_EDITION = re.compile(rb"edition ([0-9]+)")


@attrs.frozen
class Copy:
    """One message, taken for one recipient. Instants are seconds since the beginning of the world."""

    message_id: str
    recipient: str
    digest: bytes
    edition: int  # of the template
    queue_id: str
    begun: float  # when the gate was passed
    taken: float
    sender: str  # the worker


@attrs.frozen
class Body:
    """A message on its way into the relay."""

    octets: bytes = attrs.field(repr=False)
    recipients: tuple[str, ...]
    begun: float
    sender: str

    @property
    def message_id(self) -> str:
        """What its header says, or nothing."""
        found = _MESSAGE_ID.search(self.octets)
        return found[1].decode() if found else ""


@attrs.frozen
class Begun:
    """A body that a worker began, and whether it held the mail by the store's clock."""

    message_id: str
    worker: str
    at: float
    leased: bool


class Ledger:
    """Every copy, in the order in which they were taken."""

    def __init__(self) -> None:
        self.copies: list[Copy] = []
        self._taken = 0

    def take(self, body: Body, now: float) -> str:
        """Take responsibility for a message; return the name that it has in the relay's queue."""
        self._taken += 1
        queue_id = f"Q{self._taken}"
        edition = _EDITION.search(body.octets)
        digest = blake2b(body.octets, digest_size=16).digest()
        for recipient in body.recipients:
            copy = Copy(
                message_id=body.message_id,
                recipient=recipient,
                digest=digest,
                edition=int(edition[1]) if edition else 0,
                queue_id=queue_id,
                begun=body.begun,
                taken=now,
                sender=body.sender,
            )
            self.copies.append(copy)
        return queue_id

    def of(self, message_id: str) -> Iterator[Copy]:
        """The copies of one mail."""
        return (copy for copy in self.copies if copy.message_id == message_id)
