"""PostgreSQL runs without root's privileges by every route, and a cluster stays with whom it was made for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from galaxy_mail.adapters.embedded_postgres import EmbeddedPostgres, binaries, privileges
from galaxy_mail.adapters.embedded_postgres.privileges import Identity, Route
from galaxy_mail.domain.errors import EmbeddedServerError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to lose")


def namespaces_are_open() -> bool:
    """Whether this system lets us make a user namespace."""
    return privileges.is_open(privileges.as_nobody(Route.NAMESPACE))


def refuse_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the system look like one that refuses user namespaces, as a container's default profile does."""
    monkeypatch.setattr(privileges, "is_open", lambda identity: identity.route is not Route.NAMESPACE)


def status_of(pid: int) -> dict[str, str]:
    """What Linux tells of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server not yet started, its programs and its data in folders that are closed to all others."""
    tmp_path.chmod(0o700)
    programs = binaries.find().within_reach(tmp_path)
    server = EmbeddedPostgres(tmp_path / "data", fsync=False, folders=[programs.folder])
    yield server
    server.remove()


@as_root
@pytest.mark.parametrize("route", [Route.NAMESPACE, Route.USER])
async def test_root_runs_it_without_privileges(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, route: Route
) -> None:
    """Started by root, by either route, from folders closed to all others, the server has no capability, keeps its
    data, and goes without a trace.
    """
    if route is Route.USER:
        refuse_namespaces(monkeypatch)
    elif not namespaces_are_open():
        pytest.skip("this system refuses user namespaces")
    with server:
        assert int(status_of(server.pid)["CapEff"], 16) == 0
        await keep_a_row(server)
    home = (server.log.parent / "pgdata").resolve().parent
    with server:
        assert await read_the_row(server) == 42
    server.remove()
    assert not home.exists()


@as_root
async def test_a_cluster_stays_with_nobody(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster made where namespaces are refused goes on as the user nobody where they are not."""
    with monkeypatch.context() as refusing:
        refuse_namespaces(refusing)
        with server:
            await keep_a_row(server)
    with server:
        assert status_of(server.pid)["Uid"].split()[0] == str(privileges.as_nobody(Route.USER).uid)
        assert await read_the_row(server) == 42


@as_root
def test_a_cluster_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Ownership is never changed: the error says whose the database is."""
    pgdata = tmp_path / "pgdata"
    pgdata.mkdir()
    os.chown(pgdata, 12345, 12345)
    with pytest.raises(EmbeddedServerError, match="belongs to the user with number 12345"):
        EmbeddedPostgres(tmp_path).start()


@as_root
def test_a_cluster_of_a_namespace_is_refused_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's own cluster cannot be opened where namespaces are refused, and the error says so."""
    (tmp_path / "pgdata").mkdir()
    refuse_namespaces(monkeypatch)
    with pytest.raises(EmbeddedServerError, match="refuses one: choose another folder"):
        EmbeddedPostgres(tmp_path).start()


def test_who_is_not_root_runs_it_as_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without privileges to lose the server runs as we are."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert privileges.choose(tmp_path / "none") == Identity(Route.SELF, 1000, os.getegid())


UNPRIVILEGED = """
import os, sys
from galaxy_mail.adapters.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres(sys.argv[1], fsync=False)
with server:
    print(os.geteuid(), server.dsn.partition(":")[0])
server.remove()
"""


def test_an_unprivileged_user_can_start_it(tmp_path: Path) -> None:
    """A program that does not run as root starts a server (where we are root: as nobody, in a namespace)."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        if not namespaces_are_open():
            pytest.skip("as root, and this system refuses user namespaces")
        prefix = privileges.launcher(privileges.as_nobody(Route.NAMESPACE))
    with subprocess.Popen(
        [*prefix, sys.executable, "-c", UNPRIVILEGED, str(tmp_path / "data")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        uid, scheme = program.stdout.read().split()
    assert (uid != "0", scheme) == (True, "postgresql")


def test_a_route_that_is_refused_is_told_by_its_exit_code() -> None:
    """The launcher says by a code of its own that a route is closed, so that another can be tried."""
    impossible = Identity(Route.NAMESPACE, -2, -2)
    assert not privileges.is_open(impossible)


async def keep_a_row(server: EmbeddedPostgres) -> None:
    """Commit something to be found again."""
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    await connection.close()


async def read_the_row(server: EmbeddedPostgres) -> object:
    """What was kept."""
    connection = await asyncpg.connect(server.dsn)
    try:
        return await connection.fetchval("SELECT answer FROM kept")
    finally:
        await connection.close()
