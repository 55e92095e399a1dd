"""The embedded server: starts anywhere, keeps what was committed however it ends, and ends with whoever started it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from galaxy_mail.adapters.embedded_postgres import EmbeddedPostgres, Shutdown, loopback, temporary_postgres
from galaxy_mail.domain.errors import EmbeddedServerError

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="process file descriptors are Linux's")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server in a folder with spaces and a quote in its path; tests may restart it."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("my sister's data") / "a database", fsync=False)
    with server:
        yield server
    server.remove()


async def ask(server: EmbeddedPostgres, query: str) -> object:
    """The single value that a query returns, over a connection of its own."""
    connection = await asyncpg.connect(server.dsn, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def wait_for_end(pid: int) -> bool:
    """Wait for the end of a process that need not be our child; False if it goes on for ten seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


async def test_text_is_utf8_and_its_order_is_every_machines(server: EmbeddedPostgres) -> None:
    """The encoding is UTF-8, letters beyond ASCII have cases, and text sorts by code point."""
    assert await ask(server, "SHOW server_encoding") == "UTF8"
    assert await ask(server, "SELECT upper('größe')") in {"GRÖSSE", "GRÖßE"}
    assert await ask(server, "SELECT 'B' < 'a'") is True


async def test_it_listens_on_loopback_alone(server: EmbeddedPostgres) -> None:
    """No other machine can reach it, and there is no socket file for other users of this one."""
    assert await ask(server, "SHOW listen_addresses") == "127.0.0.1"
    assert await ask(server, "SHOW unix_socket_directories") == ""


async def test_it_asks_for_a_password(server: EmbeddedPostgres) -> None:
    """Whoever does not know the password is turned away."""
    port = server.dsn.rpartition(":")[2].partition("/")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://postgres:guess@127.0.0.1:{port}/postgres?sslmode=disable")


def test_repr_keeps_the_password(server: EmbeddedPostgres) -> None:
    """The representation shows where the server is and nothing that opens it."""
    password = server.dsn.partition("://postgres:")[2].partition("@")[0]
    assert len(password) >= 32
    assert password not in repr(server)


@pytest.mark.parametrize("how", Shutdown)
async def test_what_was_committed_survives(server: EmbeddedPostgres, how: Shutdown) -> None:
    """After any end, SIGKILL included, the next start has the data, at the same address."""
    address, pid = server.dsn, server.pid
    await ask(server, f"CREATE TABLE survives_{how.name} AS SELECT 42 AS answer")
    server.restart(how)
    assert (server.dsn, await ask(server, f"SELECT answer FROM survives_{how.name}")) == (address, 42)
    assert server.pid != pid


async def test_a_kill_from_outside_is_recovered_by_start(server: EmbeddedPostgres) -> None:
    """A server that somebody else killed, its lock file left behind, starts again by `start` alone."""
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    assert await ask(server, "SELECT 1") == 1


def test_start_is_idempotent(server: EmbeddedPostgres) -> None:
    """Starting a running server changes nothing."""
    pid = server.pid
    server.start()
    assert server.pid == pid


async def test_one_folder_has_one_server(server: EmbeddedPostgres) -> None:
    """A second opener joins the running server, and its stop does not stop it."""
    guest = EmbeddedPostgres(server.log.parent)
    with guest:
        assert guest.dsn == server.dsn
    assert await ask(server, "SELECT 1") == 1


def test_a_stopped_server_has_no_address(tmp_path: Path) -> None:
    """Asking a server that is not running for its address is an error that says so."""
    with pytest.raises(EmbeddedServerError, match="not running"):
        _ = EmbeddedPostgres(tmp_path).dsn


def test_an_error_shows_the_end_of_the_log(server: EmbeddedPostgres) -> None:
    """A server that does not start says why, in its own words."""
    server.stop()
    refused = EmbeddedPostgres(server.log.parent, settings={"shared_buffers": "many"})
    with pytest.raises(EmbeddedServerError, match='invalid value for parameter "shared_buffers": "many"'):
        refused.start()
    server.start()


def test_a_port_lost_in_a_race_is_replaced(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another program takes the port between the choice and the start, another port is chosen."""
    free_port = loopback.free_port
    folder, taken = server.log.parent, int(server.dsn.rpartition(":")[2].partition("/")[0])
    server.stop()
    offers = iter([taken])
    monkeypatch.setattr(loopback, "free_port", lambda: next(offers, None) or free_port())
    with socket.create_server((loopback.HOST, taken)), EmbeddedPostgres(folder) as moved:
        assert f":{taken}/" not in moved.dsn
    server.start()


async def test_the_lock_of_a_dead_server_is_forgotten(server: EmbeddedPostgres) -> None:
    """A lock file whose process number belongs to another program by now does not keep the server from starting."""
    server.stop(Shutdown.KILL)
    lock = server.log.parent / "pgdata" / "postmaster.pid"
    _, *rest = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *rest]) + "\n")
    server.start()
    assert await ask(server, "SELECT 1") == 1


EMBEDDER = """
import sys
from galaxy_mail.adapters.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres(sys.argv[1], fsync=False)
server.start()
print(server.pid, server._launcher.pid, flush=True)
sys.stdin.read()
"""


@linux_only
@pytest.mark.parametrize("killed", ["embedder", "launcher"])
def test_it_ends_with_whoever_started_it(server: EmbeddedPostgres, killed: str) -> None:
    """When the embedding program, or the launcher between, is killed, the server shuts down by itself."""
    server.stop()
    command = [sys.executable, "-c", EMBEDDER, str(server.log.parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as embedder:
        assert embedder.stdout is not None
        pid, launcher = (int(number) for number in embedder.stdout.readline().split())
        os.kill(embedder.pid if killed == "embedder" else launcher, signal.SIGKILL)
        ended = wait_for_end(pid)
        embedder.kill()
    assert ended
    server.start()


def test_nothing_is_left_of_a_temporary_server() -> None:
    """A temporary server takes its data with it."""
    with temporary_postgres() as server:
        pgdata = (server.log.parent / "pgdata").resolve()
        assert pgdata.is_dir()
    assert not server.log.parent.exists()
    assert not pgdata.exists()
