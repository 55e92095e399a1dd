"""The Store on PostgreSQL ≥ 14 by asyncpg: atomicity in one statement, no policy. The statements are in ``sql/``."""

from galaxy_mail.adapters.postgres.migrations import check, migrate, migration_script
from galaxy_mail.adapters.postgres.store import PostgresStore, PostgresTransaction

__all__ = ["PostgresStore", "PostgresTransaction", "check", "migrate", "migration_script"]
