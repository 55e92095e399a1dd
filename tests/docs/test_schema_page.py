"""docs/reference/schema.md says of every table what the server says of it."""

from __future__ import annotations

import asyncpg

from galaxy_mail.adapters.postgres import migrate, open_pool
from tests.docs.pages import ROOT, rows

PAGE = ROOT / "docs/reference/schema.md"
COLUMNS = """
select table_name, column_name, coalesce(nullif(data_type, 'timestamp with time zone'), 'timestamptz') as data_type
  from information_schema.columns where table_schema = $1 order by table_name, ordinal_position
"""


async def columns(dsn: str, schema: str) -> dict[str, list[tuple[str, str]]]:
    """Each table's columns with their types, in order, as migrated."""
    async with open_pool(dsn) as pool:
        await migrate(pool, schema)
        found: list[asyncpg.Record] = await pool.fetch(COLUMNS, schema)
        await pool.execute(f'drop schema "{schema}" cascade')
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in found:
        tables.setdefault(table, []).append((column, kind))
    return tables


async def test_the_page_names_every_column(postgres_dsn: str, schema_name: str) -> None:
    """Every table, its columns in their order and their types stand on the page, and nothing else does."""
    real = await columns(postgres_dsn, schema_name)
    told = {
        table: [(name.partition(" ")[0].strip("`"), kind) for name, kind, _ in rows(PAGE, table)]
        for table in real
    }
    assert told == real
    headings = {
        line[3:] for line in PAGE.read_text().splitlines() if line.startswith("## ") and " " not in line[3:]
    }
    assert headings == set(real)
