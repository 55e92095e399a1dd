"""A private copy of this system for one server: it finds its packages installed, and whatever it does stays in there.

The copy is an overlay in memory over ``/``, in mount and process namespaces of its own. So packages that exclude each other
stand side by side, daemons find the users and folders that they were built for, nothing of it is ever seen outside, and all of
its processes end with the first. ``/srv`` and ``/var/spool`` are a folder of the test: that is how it looks in.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

VARIABLE = "GALAXY_MAIL_REAL_SERVERS"
"""Folders of unpacked packages (``dpkg -x``), with a colon between them."""

UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")

ENTER = """
set -eu
ground=$1 packages=$2 inside=$3
mkdir -p "$ground/spool" "$ground/system"
mount -t tmpfs tmpfs "$ground/system"
cd "$ground/system"
mkdir upper work root
chmod 755 upper work root
IFS=:
for folder in $packages; do
    for part in usr etc var; do
        if [ -d "$folder/$part" ]; then cp -a "$folder/$part" upper/; fi
    done
    if [ -d "$folder/lib" ]; then cp -a "$folder/lib" upper/usr/; fi  # /lib is a link to it
done
unset IFS
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mkdir -p root/srv root/var/spool
mount --rbind /dev root/dev
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/run
mount --bind "$ground" root/srv
mount --bind "$ground/spool" root/var/spool
status=0
chroot root /bin/sh -euc "$inside" || status=$?
exit "$status"
"""
"""Makes the system, then waits for what runs in it: so this shell stays its first process, which no other outlives."""


def folders() -> list[Path]:
    """Where unpacked packages lie."""
    return [Path(folder).resolve() for folder in os.environ.get(VARIABLE, "").split(":") if folder]


def require(program: str) -> None:
    """Skip the test where this program is not to be found, or where no private system can be made for it."""
    if not can_enclose():
        pytest.skip(
            "a real server is tried in a private system: on Linux, as root, with mount namespaces and overlayfs"
        )
    usual = os.environ.get("PATH", os.defpath) + ":/usr/sbin"
    unpacked = ":".join(f"{folder}/usr/sbin" for folder in folders())
    if not shutil.which(program, path=f"{usual}:{unpacked}"):
        pytest.skip(
            f"{program} is neither on PATH nor unpacked in a folder of {VARIABLE} (see CONTRIBUTING.md)"
        )


@functools.cache
def can_enclose() -> bool:
    """Whether this machine lets us mount an overlay where nobody else sees it."""
    if not shutil.which("unshare"):
        return False
    trial = "mount -t tmpfs t /mnt && cd /mnt && mkdir u w r && mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w r"
    return not subprocess.run(
        ["unshare", "--mount", "sh", "-c", trial], capture_output=True, check=False
    ).returncode


def enclosed(ground: Path, inside: str) -> subprocess.Popen[bytes]:
    """Run a shell script in a new private system, with ``ground`` as its ``/srv``; what it prints goes to ``ground/log``."""
    ground.chmod(0o755)
    packages = ":".join(map(str, folders()))
    with (ground / "log").open("wb") as log:
        return subprocess.Popen(
            [*UNSHARE, "sh", "-c", ENTER, "enter", ground, packages, inside],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
