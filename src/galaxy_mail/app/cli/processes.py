"""``galaxy-mail worker --processes N``: so many workers, each in a process of its own, and this one to look after them.

Python runs one processor's worth of work a process, and the database and the relay take more than that. The workers share
nothing but the database. One that dies is started anew, after a pause that grows; one that cannot run by these settings ends
them all. A stop is passed on once and waited for; a terminal's Ctrl-C reaches only this process, since each worker has a
session of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence

from galaxy_mail.app.cli.codes import DONE, WRONG_SETTINGS
from galaxy_mail.app.terminal import span
from galaxy_mail.domain.backoff import BackoffPolicy
from galaxy_mail.domain.ports import Clock

OPTION = "--processes"
PAUSES = BackoffPolicy()

_log = logging.getLogger("galaxy_mail")


async def run_workers(number: int, argv: Sequence[str], dsn: str, clock: Clock) -> int:
    """Run ``number`` workers by the same arguments until all have ended by themselves, or this is cancelled.

    Returns the exit code that ended them: 0, or 2 for settings that no worker can run by.
    """
    words = [sys.executable, "-m", "galaxy_mail.app.cli", *_without_option(argv)]
    environment = {**os.environ, "GALAXY_MAIL_DSN": dsn}
    workers = [asyncio.create_task(_keep_running(words, environment, clock)) for _ in range(number)]
    try:
        codes = await asyncio.gather(*workers)
    except BaseException:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        raise
    return max(codes)


async def _keep_running(words: list[str], environment: dict[str, str], clock: Clock) -> int:
    deaths = 0
    while True:
        process = await asyncio.create_subprocess_exec(
            *words, env=environment, stdin=DEVNULL, stdout=DEVNULL, start_new_session=True
        )
        code = await _wait(process)
        if code in (DONE, WRONG_SETTINGS):
            return code
        deaths += 1
        pause = PAUSES.middle(deaths)
        how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
        _log.error("worker process %d %s; a new one starts in %s", process.pid, how, span(pause))
        await clock.sleep(pause.total_seconds())


async def _wait(process: Process) -> int:
    try:
        return await process.wait()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        raise


def _without_option(argv: Sequence[str]) -> list[str]:
    """The arguments of one worker: all but how many there are."""
    rest, words = [], iter(argv)
    for word in words:
        if word == OPTION:
            next(words, None)
        elif not word.startswith(f"{OPTION}="):
            rest.append(word)
    return rest
