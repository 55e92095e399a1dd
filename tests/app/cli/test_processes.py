"""``galaxy-mail worker --processes N``: they share the work, are replaced when they die, and stop when they are told."""

from __future__ import annotations

import asyncio
import json
import os
import signal

from galaxy_mail.testing.smtp_rules import hang
from galaxy_mail.testing.smtp_server import Moment, ScriptedSmtpServer
from tests.app.cli.conftest import Cli, query
from tests.app.cli.test_commands import CODE
from tests.app.cli.test_worker import running, said

WORKERS = "select distinct claimed_by from {schema}.mail_deliveries where claimed_by is not null"
HELD = "select count(*) from {schema}.mail_deliveries where claim_token is not null"


async def order(ready: Cli, number: int) -> None:
    """So many login codes."""
    for i in range(number):
        await asyncio.to_thread(ready, *CODE, "--key", str(i))


async def test_two_processes_share_the_work(outbox: dict[str, str], ready: Cli) -> None:
    """Each holds one mail at a relay that ponders both; then all is sent once, and the counts are printed once."""
    await order(ready, 4)
    two = ("--processes", "2", "--until-empty", "--json", "--set", "batch_size=1")
    async with ScriptedSmtpServer([hang(Moment.DOT)]) as server, running(outbox, server, *two) as process:
        await server.wait_for(Moment.DOT, 2)
        names = {name for (name,) in await asyncio.to_thread(query, outbox, WORKERS)}
        server.release()
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert len(names) == 2
    assert json.loads(out) == {"pending": 0, "retrying": 0, "sent": 4, "dead_lettered": 0}
    assert len({copy.message_id for copy in server.copies}) == len(server.copies) == 4


async def test_a_stop_is_passed_on_and_waited_for(outbox: dict[str, str], ready: Cli) -> None:
    """What has begun is finished, nothing stays leased, and the whole ends with 0."""
    await order(ready, 1)
    async with (
        ScriptedSmtpServer([hang(Moment.DOT)]) as server,
        running(outbox, server, "--processes", "2") as process,
    ):
        await server.wait_for(Moment.DOT)
        process.send_signal(signal.SIGTERM)
        await said(process, "told to stop")
        server.release()
        await process.communicate()
    assert process.returncode == 0
    assert len(server.copies) == 1
    assert (await asyncio.to_thread(query, outbox, HELD))[0][0] in (0, "0")


async def test_a_worker_that_dies_is_replaced(outbox: dict[str, str], ready: Cli) -> None:
    """Killed in the middle of a mail, it is started anew; the mail is sent when its lease has run out."""
    await order(ready, 1)
    hasty = ("--processes", "2", "--set", "lease=3s", "--until-empty")
    async with (
        ScriptedSmtpServer([hang(Moment.DATA, nth=1)]) as server,
        running(outbox, server, *hasty) as process,
    ):
        await server.wait_for(Moment.DATA)
        ((name,),) = await asyncio.to_thread(query, outbox, WORKERS)
        os.kill(int(name.rpartition(":")[2]), signal.SIGKILL)
        await said(process, "was ended by signal 9; a new one starts in 5s")
        server.release()
        await process.communicate()
    assert process.returncode == 0
    assert len(server.copies) == 1
