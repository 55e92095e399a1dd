"""From what was typed to an open galaxy_mail: settings, the embedded server where no dsn is set, signals."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import attrs

from galaxy_mail.app.data_folder import data_folder
from galaxy_mail.app.embedded import running_postgres
from galaxy_mail.app.opening import OpenMail, open_mail
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.app.settings_sources import (
    FILE_VARIABLE,
    from_environment,
    from_file,
    from_flags,
    settings_from,
)

OWN_FLAGS = ("dsn", "schema", "smtp_url", "sender", "template_dirs")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def gather_settings(
    arguments: argparse.Namespace, environ: Mapping[str, str], needed: Collection[str]
) -> MailSettings:
    """The settings of this call.

    Raises:
        InvalidSettings: naming every problem of flags, environment and file.
    """
    flags = {name: getattr(arguments, name) for name in OWN_FLAGS}
    sources = [from_flags(flags, arguments.set), from_environment(environ)]
    file = arguments.config or environ.get(FILE_VARIABLE)
    if file:
        sources.append(from_file(Path(file)))
    return settings_from(sources, needed)


@asynccontextmanager
async def opened(
    settings: MailSettings, environ: Mapping[str, str], *, ready: bool = True, lazy: bool = False
) -> AsyncIterator[OpenMail]:
    """galaxy_mail on the database of the settings, or else on the embedded one, which is kept up to date by itself.

    If ``lazy``, a database that cannot be reached is no matter until it is used.

    Raises:
        SchemaOutdated: if ``ready`` and the schema of a database of yours is not what this release needs. It is never
            changed but by ``migrate``.
        EmbeddedServerError, MissingWiring, StoreUnavailable: see there.
    """
    async with AsyncExitStack() as stack:
        embedded = settings.dsn is None
        if embedded:
            folder = data_folder(environ) / "postgres"
            print(f"galaxy-mail: no dsn is set: using the embedded PostgreSQL in {folder}", file=sys.stderr)
            dsn = await stack.enter_async_context(running_postgres(folder))
            settings = attrs.evolve(settings, dsn=dsn)
        mail = await stack.enter_async_context(open_mail(settings, lazy=lazy))
        if ready and embedded:
            await mail.migrate()
        elif ready:
            await mail.container.check_schema()
        yield mail


@contextmanager
def stopping(task: asyncio.Task[int]) -> Iterator[None]:
    """Within it the first SIGTERM or SIGINT cancels the task, and the second ends the process as if nobody listened."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        task.cancel()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        logging.getLogger("galaxy_mail").info(
            "told to stop: finishing what has begun; a second signal stops at once"
        )

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
