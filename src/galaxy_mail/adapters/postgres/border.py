"""Where PostgreSQL's and asyncpg's exceptions end.

The cause is cut off (``from None``): the server's detail may print the row that failed, and with it a login code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from galaxy_mail.domain.errors import GalaxyMailError, SchemaOutdated, StoreUnavailable

# A query cut by a crash of the server raises InternalClientError; a refused connection is a bare OSError.
_FOREIGN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
_NOT_MIGRATED = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedFunctionError,
)


@contextmanager
def border(operation: str) -> Iterator[None]:
    """Translate whatever the driver raises within into the tree of ``domain.errors``."""
    try:
        yield
    except GalaxyMailError:
        raise
    except _NOT_MIGRATED as error:
        raise SchemaOutdated(
            f"the database schema is missing or outdated (sqlstate {error.sqlstate}): run galaxy-mail migrate, "
            "unless dsn or schema name another one than they should"
        ) from None
    except _FOREIGN as error:
        raise StoreUnavailable(operation, getattr(error, "sqlstate", None), type(error).__name__) from None
