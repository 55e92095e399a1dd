"""A server for a while: what tests and measurements stand on."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping

from galaxy_mail.adapters.embedded_postgres.server import EmbeddedPostgres


@contextlib.contextmanager
def temporary_postgres(*, settings: Mapping[str, str] | None = None) -> Iterator[EmbeddedPostgres]:
    """A running server in a folder that goes away with it; without fsync, since nothing is to be kept."""
    with tempfile.TemporaryDirectory(prefix="galaxy-mail-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(folder, fsync=False, settings=settings)
        try:
            server.start()
            yield server
        finally:
            server.remove()
