"""A real PostgreSQL server of our own, for the demo, the command line and the tests."""

from galaxy_mail.adapters.embedded_postgres.server import EmbeddedPostgres, Shutdown
from galaxy_mail.adapters.embedded_postgres.temporary import temporary_postgres

__all__ = ["EmbeddedPostgres", "Shutdown", "temporary_postgres"]
