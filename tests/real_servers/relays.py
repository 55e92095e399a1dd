"""What the three relays have in common: people with mailboxes, a certificate, and a queue that empties."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from pathlib import Path

import attrs

from tests.real_servers.daemon import Daemon, Recipe

DOMAIN = "example.org"
PEOPLE = ("ada", "bob", "eve", "joe")
LIMIT = 200_000
"""Octets of the largest mail that each takes."""


@attrs.frozen(kw_only=True)
class RelayRecipe(Recipe):
    """How a relay is run, and what is known of it."""

    pipelining: bool  # whether it offers it
    queue: tuple[str, ...]  # the folders below /var/spool in which a mail waits, in the order of its way
    tls_excuse: str | None = None  # why some builds of it cannot do TLS with any client


@attrs.frozen
class Copy:
    """A mail in somebody's mailbox: lines end with LF there, and the server has put its own headers before ours."""

    person: str
    octets: bytes

    @property
    def message_id(self) -> str:
        """As it stands in the header, with its brackets."""
        lines = self.octets.partition(b"\n\n")[0].splitlines()
        (found,) = [line for line in lines if line.lower().startswith(b"message-id:")]
        return found.partition(b":")[2].strip().decode()

    def is_copy_of(self, message: bytes) -> bool:
        """Whether it is what we sent, octet for octet, behind the server's own headers."""
        sent = message.replace(b"\r\n", b"\n")
        own = self.octets.removesuffix(sent)
        return own != self.octets and own.endswith(b"\n") and b"\n\n" not in own


@attrs.frozen
class RealRelay:
    """A relay that runs, and the file with the authority of its certificate."""

    recipe: RelayRecipe
    daemon: Daemon
    ca_file: Path

    @property
    def port(self) -> int:
        """The port of loopback, for plain SMTP and STARTTLS alike."""
        return self.daemon.port

    def speaks_tls(self) -> bool:
        """Whether the standard library's client can secure a connection to it."""
        context = ssl.create_default_context(cafile=self.ca_file)
        try:
            with smtplib.SMTP("localhost", self.port, "localhost") as client:
                return client.starttls(context=context)[0] == 220
        except OSError:  # what smtplib and ssl raise is among them
            return False

    def copies(self) -> list[Copy]:
        """Everything in the mailboxes, once nothing is left in the queue."""
        self.daemon.until(self.queue_is_empty)
        mail = self.daemon.ground / "mail"
        return [Copy(file.parts[-3], file.read_bytes()) for file in mail.glob("*/new/*")]

    def copies_of(self, messages: Mapping[str, bytes]) -> list[Copy]:
        """Those with one of these Message-IDs."""
        return [copy for copy in self.copies() if copy.message_id in messages]

    def queue_is_empty(self) -> bool:
        """Whether the server is done with all that it has taken."""
        spool = self.daemon.ground / "spool"
        return not any(file.is_file() for folder in self.recipe.queue for file in (spool / folder).rglob("*"))
