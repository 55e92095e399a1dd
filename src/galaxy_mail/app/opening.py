"""Opening galaxy_mail on its own: a pool, the wiring, and the order in which all of it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from galaxy_mail.app.container import MailContainer, check_wiring, open_pool
from galaxy_mail.domain.errors import InvalidSettings

if TYPE_CHECKING:
    from galaxy_mail.app.container import AccessToken, Pool, PostgresTransaction
    from galaxy_mail.app.service import MailService
    from galaxy_mail.app.settings import MailSettings
    from galaxy_mail.app.worker import Worker
    from galaxy_mail.domain.ports import SmtpSender


@attrs.frozen
class OpenMail:
    """galaxy_mail, wired and open. ``container`` is there for overrides and for parts that have no name here."""

    container: MailContainer
    pool: Pool
    service: MailService[PostgresTransaction]

    def worker(self) -> Worker:
        """A new worker; run one or more of them."""
        return self.container.worker()

    async def migrate(self) -> tuple[str, ...]:
        """Bring the schema up to date; return the names of the steps that were applied.

        Raises:
            SchemaOutdated: if the database is ahead of this release.
        """
        return tuple(step.name for step in await self.container.migrate())


@asynccontextmanager
async def open_mail(
    settings: MailSettings, *, access_token: AccessToken | None = None, lazy: bool = False
) -> AsyncIterator[OpenMail]:
    """Open a pool on ``settings.dsn`` and wire everything; on leaving, close the SMTP connections
    (within ``stop_grace``), then the pool. A ``lazy`` one does not mind a database that cannot be reached, until it is used.
    ``access_token`` takes the place of a password at the relay.

    Raises:
        InvalidSettings: if there is no ``dsn``.
        MissingWiring: if the container has holes.
        StoreUnavailable: if the database cannot be reached.
    """
    if settings.dsn is None:
        raise InvalidSettings(["dsn: is needed to open galaxy_mail without a pool of your own"])
    async with open_pool(settings.dsn, statement_cache=settings.statement_cache, lazy=lazy) as pool:
        container = MailContainer(settings=settings, pool=pool, access_token=access_token)
        check_wiring(container)
        try:
            yield OpenMail(container, pool, container.service())
        finally:
            await _close(container.sender(), settings.stop_grace)


async def _close(sender: SmtpSender, grace: timedelta) -> None:
    """Close it politely, but do not wait for ever for a server that hangs: what it had to say is settled by now."""
    with suppress(TimeoutError):
        async with asyncio.timeout(grace.total_seconds()):
            await sender.aclose()
