"""Which name a database schema may have: the one text that is ever put into SQL, so the rule stands in one place."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[a-z_][a-z0-9_]{0,62}")  # 63 is PostgreSQL's own limit (NAMEDATALEN)


def schema_name_problem(name: object) -> str | None:
    """What keeps ``name`` from being the name of a schema, or ``None``. Never repeats it."""
    if isinstance(name, str) and _PLAIN.fullmatch(name):
        return None
    return "schema: must be a plain name: a-z, 0-9 and _, not beginning with a digit, at most 63"
