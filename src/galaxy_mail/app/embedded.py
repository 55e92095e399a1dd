"""A PostgreSQL of our own, for as long as it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from galaxy_mail.app.container import embedded_postgres


@asynccontextmanager
async def running_postgres(folder: Path) -> AsyncIterator[str]:
    """Start the server whose data are in ``folder``, or join the one that runs there; its dsn; and stop what was started.

    Raises:
        EmbeddedServerError: see ``EmbeddedPostgres.start``.
    """
    server = embedded_postgres(folder)
    try:
        await asyncio.to_thread(server.start)
        yield server.dsn
    finally:
        await asyncio.to_thread(server.stop)
