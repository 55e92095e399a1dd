"""Where the demo leaves its things, and how it finds that folder again."""

from __future__ import annotations

import email
import email.policy
import re
import unicodedata
from pathlib import Path

import attrs

from galaxy_mail.app.demo.inbox import Arrival
from galaxy_mail.domain.errors import InvalidInput

ABOUT = """\
This folder was made by "galaxy-mail demo" and is made anew by the next run.

  mails/      what the local inbox received, byte for byte; open the .eml files with a mail program or an editor
  postgres/   the data of the embedded PostgreSQL
  demo.log    what the worker logged
"""


@attrs.frozen
class Folder:
    """The demo's folder."""

    root: Path

    @property
    def mails(self) -> Path:
        """Received mails."""
        return self.root / "mails"

    @property
    def postgres(self) -> Path:
        """The embedded server's data, kept for the next run."""
        return self.root / "postgres"

    @property
    def log(self) -> Path:
        """What the worker logged."""
        return self.root / "demo.log"

    def prepare(self) -> None:
        """Make the folder, or clear away what the last demo received.

        Raises:
            InvalidInput: it cannot be written to, or holds something that no demo has put there.
        """
        about = self.root / "about.txt"
        try:
            if self.root.is_dir() and any(self.root.iterdir()) and not about.is_file():
                raise InvalidInput(
                    "out", f"{self.root} is not empty and not from a demo: choose another folder"
                )
            self.mails.mkdir(parents=True, exist_ok=True)
            about.write_text(ABOUT)
            for old in self.mails.glob("*.eml"):
                old.unlink()
            self.log.write_text("")
        except OSError as error:
            where = error.filename or self.root
            raise InvalidInput(
                "out", f"{where}: {error.strerror}: choose another folder with --out"
            ) from None

    def keep(self, number: int, arrival: Arrival) -> Path:
        """Write a received mail, octet for octet, under a name that says what it is."""
        subject = str(email.message_from_bytes(arrival.octets, policy=email.policy.default)["Subject"] or "")
        path = self.mails / f"{number:02}-{slug(arrival.recipients[0])}-{slug(subject)[:48].strip('-')}.eml"
        path.write_bytes(arrival.octets)
        return path


def slug(text: str) -> str:
    """Lower-case ASCII letters and digits joined by hyphens; accents are dropped."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "mail"
