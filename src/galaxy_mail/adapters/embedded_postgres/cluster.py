"""A folder that holds one database cluster: its data, its password, its log and a lock.

::

    <folder>/pgdata      the data directory, or a link to it where the server runs as a user who cannot reach us
    <folder>/password    of the database user ``postgres``; readable by the folder's owner alone
    <folder>/server.log  what initdb and the server said
    <folder>/lock        held while somebody starts or removes the server
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs

from galaxy_mail.adapters.embedded_postgres.binaries import Binaries
from galaxy_mail.adapters.embedded_postgres.privileges import Identity
from galaxy_mail.domain.errors import EmbeddedServerError

SUPERUSER = "postgres"
INITDB_SECONDS = 120
BUILTIN_LOCALES_SINCE = 17
LOG_TAIL_OCTETS = 4096


@attrs.frozen
class Cluster:
    """One cluster by its folder, which is made when it is first used."""

    folder: Path

    @property
    def pgdata(self) -> Path:
        """The data directory; it exists once, and only if, it is complete."""
        return self.folder / "pgdata"

    @property
    def log(self) -> Path:
        """What initdb and the server said, over all starts."""
        return self.folder / "server.log"

    @property
    def password(self) -> str:
        """The superuser's password.

        Raises:
            EmbeddedServerError: its file is gone.
        """
        path = self.folder / "password"
        try:
            return path.read_text().strip()
        except OSError as error:
            raise EmbeddedServerError(
                f"{path}: {error.strerror}; without it the database cannot be opened"
            ) from None

    @property
    def major(self) -> int | None:
        """The version that made the data and alone can open it, or None before there is any."""
        try:
            return int((self.pgdata / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from starting or removing this cluster meanwhile."""
        import fcntl  # not on every platform that can import us

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def create(self, binaries: Binaries, identity: Identity, *, fsync: bool) -> None:
        """Make the data directory. It gets its name when it is complete: one that a kill cut short is never opened.

        Raises:
            EmbeddedServerError: initdb failed; with what it said.
        """
        home = self.home(identity)
        unfinished = home / "pgdata.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        identity.give(unfinished)
        password = self._write_password()
        with tempfile.NamedTemporaryFile("w", dir=home, prefix="password-") as handed:
            handed.write(password)
            handed.flush()
            identity.give(Path(handed.name))
            self._initdb(binaries, identity, unfinished, Path(handed.name), fsync=fsync)
        unfinished.rename(home / "pgdata")

    def home(self, identity: Identity) -> Path:
        """The folder that really holds the data directory and whatever else this identity must reach."""
        if self.pgdata.is_symlink():
            if (home := self.pgdata.readlink().parent).is_dir():
                return home
            self.pgdata.unlink()  # somebody tidied up /var/tmp
        if not identity.owns_elsewhere:
            return self.folder
        # Some folder above ours may be closed to others; /var/tmp is open to all, and survives a reboot.
        home = Path(tempfile.mkdtemp(prefix="galaxy-mail-", dir="/var/tmp"))
        home.chmod(0o711)
        self.pgdata.symlink_to(home / "pgdata")
        return home

    def remove(self) -> None:
        """Delete the cluster with all it holds, and its folder if nothing else is in there."""
        if self.pgdata.is_symlink():
            shutil.rmtree(self.pgdata.readlink().parent, ignore_errors=True)
            self.pgdata.unlink()
        shutil.rmtree(self.pgdata, ignore_errors=True)
        for name in ("password", "server.log", "lock"):
            (self.folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def log_tail(self, since: int = 0) -> str:
        """The last lines that were logged, for an error message; nothing from before the octet ``since``."""
        with self.log.open("rb") as log:
            log.seek(max(since, log.seek(0, os.SEEK_END) - LOG_TAIL_OCTETS))
            return log.read().decode(errors="replace").strip()

    def _write_password(self) -> str:
        password = secrets.token_hex(24)
        path = self.folder / "password"
        path.touch(mode=0o600)
        path.write_text(password)
        return password

    def _initdb(
        self, binaries: Binaries, identity: Identity, target: Path, password: Path, *, fsync: bool
    ) -> None:
        command = [
            str(binaries.initdb),
            f"--pgdata={target}",
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-instructions",
            *_locale(binaries.major),
            *([] if fsync else ["--no-sync"]),
        ]
        with self.log.open("ab") as log, identity.launch(command, log) as initdb:
            try:
                code = initdb.wait(INITDB_SECONDS)
            except subprocess.TimeoutExpired:
                code = None
        if code != 0:
            how = "took too long" if code is None else f"failed with exit code {code}"
            raise EmbeddedServerError(f"initdb {how}; it said:\n{self.log_tail()}")


def _locale(major: int) -> list[str]:
    """C.UTF-8: the same order and the same letters on every machine, whatever its libc knows."""
    if major >= BUILTIN_LOCALES_SINCE:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
