"""As whom PostgreSQL runs. It refuses to run as root, so root has to become somebody else first.

============  ==========================================================================================================
we are        the server runs
============  ==========================================================================================================
not root      as we are
root          in a user namespace in which we are called ``nobody``: no capability is left, files stay ours
root, where   as the user ``nobody``, who can read neither our folders nor our binaries: `cluster` keeps its data in
that is       /var/tmp and a copy of the binaries beside it
refused
============  ==========================================================================================================

What is weak: in the namespace the server is still the owner of root's files and could open them, though with no
capability it can do nothing else that root can. It serves a password-protected port on the loopback address to us.

A cluster that exists stays with whom it was made for: ownership is never changed. No system account is edited and no
folder that we did not make gets another mode.
"""

from __future__ import annotations

import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import IO

import attrs

from galaxy_mail.domain.errors import EmbeddedServerError

LAUNCHER = Path(__file__).with_name("launcher.py")
OVERFLOW_ID = 65534  # nobody, where the account is missing (Linux: /proc/sys/kernel/overflowuid)


class Route(StrEnum):
    """How the server gets rid of root."""

    SELF = "self"
    NAMESPACE = "namespace"
    USER = "user"


@attrs.frozen
class Identity:
    """As whom the server runs: a route, and the user and group that it sees itself as."""

    route: Route
    uid: int
    gid: int

    @property
    def owns_elsewhere(self) -> bool:
        """Whether files must belong to another user than us, in folders that this user can reach."""
        return self.route is Route.USER

    def launch(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the command with both outputs in the log; it is ended when its standard input closes.

        A session of its own keeps a terminal's Ctrl-C away from it: we stop it when we are done with it.
        """
        return subprocess.Popen(
            [*launcher(self), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )

    def give(self, path: Path) -> None:
        """Hand over a file or folder that we have just made."""
        if self.owns_elsewhere:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


# No PGDATA, PGPORT or PGOPTIONS of the host slips in, and messages are English: the log is searched for causes.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def choose(pgdata: Path) -> Identity:
    """The identity for the cluster in ``pgdata``, which need not exist yet.

    Raises:
        EmbeddedServerError: the cluster belongs to another user.
    """
    me = Identity(Route.SELF, os.geteuid(), os.getegid())
    owner = pgdata.stat().st_uid if pgdata.exists() else None
    if me.uid != 0:
        return _only_for(owner, {me.uid: me}, pgdata) if owner is not None else me
    namespace, nobody = as_nobody(Route.NAMESPACE), as_nobody(Route.USER)
    if owner is not None:
        return _only_for(owner, {0: namespace, nobody.uid: nobody}, pgdata)
    return namespace if is_open(namespace) else nobody


def _only_for(owner: int, identities: dict[int, Identity], pgdata: Path) -> Identity:
    identity = identities.get(owner)
    if identity is None:
        raise EmbeddedServerError(
            f"the database in {pgdata} belongs to the user with number {owner}: run as that user, or choose another folder"
        )
    if identity.route is Route.NAMESPACE and not is_open(identity):
        raise EmbeddedServerError(
            f"the database in {pgdata} was made by root in a user namespace, and this system refuses one: "
            "choose another folder"
        )
    return identity


def launcher(identity: Identity) -> list[str]:
    """The command that runs the command after it as this identity."""
    route = str(identity.route)
    if identity.route is not Route.SELF:
        route += f":{identity.uid}:{identity.gid}"
    return [sys.executable, "-I", "-S", str(LAUNCHER), route]


def is_open(identity: Identity) -> bool:
    """Whether this system lets us become this identity."""
    probe = subprocess.run(launcher(identity), cwd="/", env=ENVIRONMENT, capture_output=True, check=False)
    return probe.returncode == 0


def as_nobody(route: Route) -> Identity:
    """The account ``nobody``, by this route."""
    import pwd  # not on every platform that can import us

    try:
        account = pwd.getpwnam("nobody")
    except KeyError:
        return Identity(route, OVERFLOW_ID, OVERFLOW_ID)
    return Identity(route, account.pw_uid, account.pw_gid)
