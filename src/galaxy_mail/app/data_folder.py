"""Where a person's own embedded PostgreSQL keeps its data."""

from __future__ import annotations

import os
import pwd
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from galaxy_mail.app.settings_sources import HOME_VARIABLE
from galaxy_mail.domain.errors import EmbeddedServerError

PRIVATE = 0o700


def data_folder(environ: Mapping[str, str]) -> Path:
    """The folder for this user's data, made if it was missing.

    It is ``GALAXY_MAIL_HOME`` where that is set. Otherwise it is the first of these that can be written to:
    ``galaxy_mail`` in ``XDG_DATA_HOME``, in the platform's folder for a user's data, or, for accounts without a home, in a
    temporary folder that belongs to this user alone.

    Raises:
        EmbeddedServerError: none can be written to, or the temporary one belongs to somebody else.
    """
    if chosen := environ.get(HOME_VARIABLE):
        return _made(Path(chosen).expanduser().absolute())
    for folder in places(environ, _account_home()):
        try:
            return _made(folder)
        except EmbeddedServerError:
            continue
    return _private(Path(tempfile.gettempdir(), f"galaxy_mail-{os.getuid()}"))


def places(environ: Mapping[str, str], account: str = "", platform: str = sys.platform) -> Iterator[Path]:
    """Where a user's data may be by the customs of the platform, best first; ``account`` is the home that the system names."""
    if Path(data := environ.get("XDG_DATA_HOME", "")).is_absolute():
        yield Path(data, "galaxy_mail")
    if Path(home := environ.get("HOME") or account).is_absolute():
        customary = "Library/Application Support" if platform == "darwin" else ".local/share"
        yield Path(home, customary, "galaxy_mail")


def _account_home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container's user without an account
        return ""


def _made(folder: Path) -> Path:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise EmbeddedServerError(
            f"{folder}: {error.strerror}; set {HOME_VARIABLE} to a folder of your own"
        ) from None
    if not writable:
        raise EmbeddedServerError(
            f"{folder}: cannot be written to; set {HOME_VARIABLE} to a folder of your own"
        )
    return folder


def _private(folder: Path) -> Path:
    """A folder with a name that anybody could have guessed: ours only if it is ours alone."""
    _made(folder)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EmbeddedServerError(
            f"{folder}: is not yours alone; set {HOME_VARIABLE} to a folder of your own"
        )
    return folder
