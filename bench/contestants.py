"""Who drains: ours and the peers, each with a way to fill a fresh database, workers that end when it is empty, and books.

A peer is a program of three verbs::

    fill DSN N          make its tables and put N jobs into them, each to be sent with Message-ID <i@bench.example>
    drain DSN PORT      send them all, with their status recorded, and exit
    count DSN           print how many are recorded as sent
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from bench import ours
from bench.book import Book
from bench.children import output, run
from bench.sizes import Sizes

PEERS = Path(__file__).parent / "peers"
PGBOSS = PEERS / "pgboss"
LIMIT = 300.0


@attrs.define
class Contestant:
    """Somebody who drains ``mails`` mails; ``failed`` once, it is left out of the repetitions that remain."""

    key: str
    mails: int
    failed: bool = attrs.field(default=False, init=False)

    def is_there(self, book: Book) -> bool:
        """Whether it can take part on this machine; says why not."""
        return True

    def repetitions(self, sizes: Sizes) -> int:
        """How often it drains."""
        return sizes.repetitions

    async def prepare(self, dsn: str) -> None:
        """Fill an empty database."""
        raise NotImplementedError

    def workers(self, dsn: str, port: int) -> list[list[str]]:
        """The commands of its processes."""
        raise NotImplementedError

    async def grievances(self, dsn: str) -> list[str]:
        """What its own books lack."""
        raise NotImplementedError


@attrs.define
class Ours(Contestant):
    """galaxy_mail with ``processes`` workers."""

    processes: int = 1
    loop: str = "uvloop"

    async def prepare(self, dsn: str) -> None:
        await ours.migrate(dsn)
        await ours.fill(dsn, self.mails)

    def workers(self, dsn: str, port: int) -> list[list[str]]:
        return [ours.worker(dsn, port, "--until-empty", loop=self.loop)] * self.processes

    async def grievances(self, dsn: str) -> list[str]:
        return await ours.grievances(dsn, self.mails)


@attrs.define
class Peer(Contestant):
    """A program of three verbs."""

    command: Sequence[str] = ()
    extra: Sequence[str] = ()

    def repetitions(self, sizes: Sizes) -> int:
        return sizes.peer_repetitions

    async def prepare(self, dsn: str) -> None:
        await run([*self.command, "fill", dsn, str(self.mails)], LIMIT)

    def workers(self, dsn: str, port: int) -> list[list[str]]:
        return [[*self.command, "drain", dsn, str(port), *self.extra]]

    async def grievances(self, dsn: str) -> list[str]:
        recorded = int(await output([*self.command, "count", dsn], LIMIT))
        return [] if recorded == self.mails else [f"{recorded} of {self.mails} mails are recorded as sent"]


@attrs.define
class NodePeer(Peer):
    """One that needs Node."""

    def is_there(self, book: Book) -> bool:
        for program in ("node", "npm"):
            if not shutil.which(program):
                book.note(f"{self.key} is left out: there is no {program} on this machine")
                return False
        if not (PGBOSS / "node_modules").is_dir():
            install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            done = subprocess.run(install, cwd=PGBOSS, capture_output=True, timeout=LIMIT, check=False)
            if done.returncode:
                book.note(
                    f"{self.key} is left out: npm cannot install it ({done.stderr.decode()[-200:].strip()})"
                )
                return False
        return True


def all_of(sizes: Sizes) -> list[Contestant]:
    """Everybody, in the order of a repetition. A peer gets about as many mails as it drains in the time for peers."""

    def python(name: str, module: str, rate: int, *extra: str) -> Peer:
        command = [sys.executable, "-m", f"bench.peers.{module}"]
        return Peer(f"peers.{name}", int(rate * sizes.peer_seconds), command=command, extra=extra)

    pgboss = ["node", str(PGBOSS / "pgboss.mjs")]
    return [
        Ours("drain_1", sizes.drain),
        Ours("drain_1_asyncio", sizes.drain, loop="asyncio"),
        Ours("drain_2", sizes.drain, processes=2),
        python("handwritten_1", "handwritten", 150, "1"),
        python("handwritten_10", "handwritten", 250, "10"),
        python("procrastinate", "procrastinate_", 200),
        python("pgqueuer", "pgqueuer_", 300),
        python("post_office", "post_office_", 1000),
        NodePeer("peers.pg_boss", int(1500 * sizes.peer_seconds), command=pgboss),
    ]
