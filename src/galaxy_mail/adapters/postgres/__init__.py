"""The Store on PostgreSQL, by asyncpg."""
