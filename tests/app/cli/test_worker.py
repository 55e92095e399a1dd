"""``galaxy-mail worker`` as a process: it sends, and it stops as a supervisor tells it to."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from galaxy_mail.testing.smtp_rules import hang, reply
from galaxy_mail.testing.smtp_server import Moment, ScriptedSmtpServer
from tests.app.cli.conftest import COMMAND, Cli, query
from tests.app.cli.test_commands import CODE

Start = Callable[..., Coroutine[Any, Any, Process]]
FAST = ("--set", "backoff_base=10ms", "--set", "poll_interval=20ms")


@asynccontextmanager
async def running(
    environ: dict[str, str], server: ScriptedSmtpServer, *arguments: str
) -> AsyncIterator[Process]:
    """A worker on the given relay; whatever happens, it does not outlive the test."""
    relay = ("--smtp-url", f"smtp://127.0.0.1:{server.port}")
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "worker", *relay, *FAST, *arguments, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(process: Process, words: str) -> None:
    """Return once the process has logged a line with these words."""
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if words in line.decode():
            return
    raise AssertionError(f"it ended without saying {words!r}")


@pytest.fixture
def leased(outbox: dict[str, str]) -> Callable[[], Coroutine[Any, Any, int]]:
    """How many deliveries hold a token."""

    def count() -> int:
        held = "select count(*) from {schema}.mail_deliveries where claim_token is not null"
        return int(query(outbox, held)[0][0])

    return lambda: asyncio.to_thread(count)


async def test_until_empty_sends_everything_and_says_how_it_stands(
    outbox: dict[str, str], ready: Cli
) -> None:
    """It waits for retries, buries what is refused, prints the counts and ends with 0."""
    addresses = ("ada@example.org", "busy@example.org", "gone@example.org")
    for address in addresses:
        await asyncio.to_thread(ready, *CODE, "--cc", address.replace("@", "+cc@"), "--key", address)
    rules = [
        reply(Moment.RCPT, 450, "4.2.0 later", recipient="busy+cc@example.org", nth=1),
        reply(Moment.RCPT, 550, "5.1.1 no", recipient="gone+cc@example.org"),
    ]
    async with (
        ScriptedSmtpServer(rules) as server,
        running(outbox, server, "--until-empty", "--json") as process,
    ):
        out, _ = await process.communicate()
        assert process.returncode == 0
    assert json.loads(out) == {"pending": 0, "retrying": 0, "sent": 3, "dead_lettered": 0}
    assert len({copy.message_id for copy in server.copies}) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_worker_stops_when_told(
    outbox: dict[str, str], ready: Cli, number: signal.Signals
) -> None:
    """SIGTERM and Ctrl-C end it with 0 and no traceback; nothing is printed that a script would not expect."""
    async with ScriptedSmtpServer() as server, running(outbox, server) as process:
        await said(process, "starts")
        process.send_signal(number)
        out, err = await process.communicate()
    assert (process.returncode, out) == (0, b"")
    assert b"Traceback" not in err


async def test_a_worker_told_to_stop_finishes_what_has_begun(
    outbox: dict[str, str], ready: Cli, leased: Callable[[], Coroutine[Any, Any, int]]
) -> None:
    """A mail whose body is with the server is waited for and recorded; the process ends with 0 and nothing is leased."""
    delivery_id = (await asyncio.to_thread(ready, *CODE)).out.strip()
    async with ScriptedSmtpServer([hang(Moment.DOT)]) as server, running(outbox, server) as process:
        await server.wait_for(Moment.DOT)
        process.send_signal(signal.SIGTERM)
        await said(process, "told to stop")
        server.release()
        await process.communicate()
    assert process.returncode == 0
    assert await leased() == 0
    shown = (await asyncio.to_thread(ready, "show", delivery_id, "--json")).document
    assert (shown["status"], len(shown["attempts"]), len(server.copies)) == ("sent", 1, 1)


async def test_a_claim_that_has_not_begun_is_given_back(
    outbox: dict[str, str], ready: Cli, leased: Callable[[], Coroutine[Any, Any, int]]
) -> None:
    """A mail that waits for the server's leave to send its body is withdrawn: no attempt burns, and it is due again."""
    delivery_id = (await asyncio.to_thread(ready, *CODE)).out.strip()
    async with ScriptedSmtpServer([hang(Moment.DATA)]) as server, running(outbox, server) as process:
        await server.wait_for(Moment.DATA)
        process.send_signal(signal.SIGTERM)
        await said(process, "ends")
        server.release()
        await process.communicate()
    assert process.returncode == 0
    assert await leased() == 0
    shown = (await asyncio.to_thread(ready, "show", delivery_id, "--json")).document
    assert (shown["burned_attempts"], server.copies) == (0, [])


async def test_a_second_signal_stops_at_once(outbox: dict[str, str], ready: Cli) -> None:
    """Who cannot wait for a server that hangs ends the process by the same signal; the lease will run out."""
    await asyncio.to_thread(ready, *CODE)
    async with ScriptedSmtpServer([hang(Moment.DOT)]) as server, running(outbox, server) as process:
        await server.wait_for(Moment.DOT)
        process.send_signal(signal.SIGTERM)
        await said(process, "told to stop")
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == -signal.SIGTERM


async def test_no_secret_is_logged(outbox: dict[str, str], ready: Cli) -> None:
    """Neither the code nor the database's password is in what a worker prints, though the server echoes the code."""
    await asyncio.to_thread(ready, *CODE)
    password = outbox["GALAXY_MAIL_DSN"].split("@")[0].rsplit(":", 1)[-1]
    rules = [reply(Moment.DOT, 554, "5.6.0 your code 493817 looks like spam")]
    async with ScriptedSmtpServer(rules) as server, running(outbox, server, "--until-empty") as process:
        out, err = await process.communicate()
    printed = (out + err).decode() + (await asyncio.to_thread(ready, "list", "--json")).out
    assert process.returncode == 0
    assert "493817" not in printed
    assert password not in printed
