"""The schema, step by step: numbered .sql files, each applied in one transaction, never edited once released."""

from __future__ import annotations

import hashlib
from importlib import resources

import attrs

from galaxy_mail.adapters.postgres.border import border
from galaxy_mail.adapters.postgres.pools import Pool, PostgresTransaction
from galaxy_mail.adapters.postgres.statements import checked, qualified
from galaxy_mail.domain.errors import SchemaOutdated

_FILES = resources.files("galaxy_mail.adapters.postgres") / "versions"

# A step may rebuild a big table, or wait for another process that does: the pool's bound on a statement is not for them.
_PATIENCE_SECONDS = 24 * 3600.0

_LEDGER = """
create schema if not exists {schema};
create table if not exists {schema}.schema_migrations (
    version    integer primary key,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default clock_timestamp()
);
"""


@attrs.frozen
class Migration:
    """One numbered step. ``sql`` still carries its ``{schema}`` marks, so the checksum is the same in every schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def script(self, schema: str) -> str:
        """The step and its line in the ledger."""
        record = (
            "\ninsert into {schema}.schema_migrations (version, name, checksum)"
            f" values ({self.version}, '{self.name}', '{self.checksum}');\n"
        )
        return qualified(self.sql + record, schema)


def migrations() -> tuple[Migration, ...]:
    """All steps in order."""
    names = sorted(file.name for file in _FILES.iterdir() if file.name.endswith(".sql"))
    return tuple(
        Migration(int(name[:4]), name[5:].removesuffix(".sql"), (_FILES / name).read_text("utf-8"))
        for name in names
    )


def migration_script(schema: str) -> str:
    """Everything as one SQL text for an empty database, for those whose administrators apply it by hand."""
    steps = (
        f"begin;\n{_lock(schema)}\n{qualified(_LEDGER, schema)}commit;\n",
        *(f"begin;\n{_lock(schema)}\n{step.script(schema)}commit;\n" for step in migrations()),
    )
    return "\n".join(steps)


async def migrate(pool: Pool, schema: str) -> tuple[Migration, ...]:
    """Apply what is missing and return it. Safe to run from many processes at once, and again.

    Raises:
        SchemaOutdated: if the database knows steps that this release does not, or a step was changed after the fact.
        StoreUnavailable: if the database fails; every step is applied whole or not at all.
    """
    applied = []
    with border("migrate"):
        async with pool.acquire() as connection:
            async with connection.transaction():
                await _execute(connection, _lock(schema) + qualified(_LEDGER, schema))
            for step in migrations():
                async with connection.transaction():
                    await _execute(connection, _lock(schema))
                    if step.version not in await _ledger(connection, schema):
                        await _execute(connection, step.script(schema))
                        applied.append(step)
            _compare(await _ledger(connection, schema))
    return tuple(applied)


async def _execute(connection: PostgresTransaction, script: str) -> None:
    await connection.execute(script, timeout=_PATIENCE_SECONDS)


async def check(pool: Pool, schema: str) -> None:
    """Return if the schema is exactly what this release needs.

    Raises:
        SchemaOutdated: saying which steps are missing, unknown or changed.
    """
    with border("check"):
        async with pool.acquire() as connection:
            _compare(await _ledger(connection, schema))


def _lock(schema: str) -> str:
    return f"select pg_advisory_xact_lock(hashtext('galaxy_mail.migrate.{checked(schema)}'));\n"


async def _ledger(connection: PostgresTransaction, schema: str) -> dict[int, str]:
    query = qualified("select version, checksum from {schema}.schema_migrations order by version", schema)
    return {row["version"]: row["checksum"] for row in await connection.fetch(query)}


def _compare(ledger: dict[int, str]) -> None:
    known = {step.version: step.checksum for step in migrations()}
    problems = [f"step {version} is not applied" for version in known.keys() - ledger.keys()]
    problems += [f"step {version} is unknown to this release" for version in ledger.keys() - known.keys()]
    problems += [
        f"step {v} was changed after it was applied"
        for v in known.keys() & ledger.keys()
        if known[v] != ledger[v]
    ]
    if problems:
        raise SchemaOutdated(
            "; ".join(sorted(problems)) + ": run galaxy-mail migrate, or upgrade galaxy_mail"
        )
