"""The Store on PostgreSQL ≥ 14 by asyncpg: atomicity in one statement, no policy. The statements are in ``sql/``."""

from galaxy_mail.adapters.postgres.diagnostics import PostgresDiagnostics
from galaxy_mail.adapters.postgres.migrations import check, migrate, migration_script
from galaxy_mail.adapters.postgres.pools import Pool, PostgresTransaction, open_pool
from galaxy_mail.adapters.postgres.store import PostgresStore

__all__ = [
    "Pool",
    "PostgresDiagnostics",
    "PostgresStore",
    "PostgresTransaction",
    "check",
    "migrate",
    "migration_script",
    "open_pool",
]
