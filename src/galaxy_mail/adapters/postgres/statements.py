"""SQL texts, one file a statement, with the schema's name put in.

Every table is qualified, so no statement depends on ``search_path`` or any other state of the session, and all of them
work through a connection pooler in transaction mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.names import schema_name_problem

_PACKAGE = resources.files("galaxy_mail.adapters.postgres")


def qualified(text: str, schema: str) -> str:
    """Put the schema's name into a text with ``{schema}`` marks, and the name of its bell's channel for ``{channel}``."""
    return text.replace("{schema}", f'"{checked(schema)}"').replace("{channel}", schema)


def checked(schema: str) -> str:
    """The schema's name, if it is a plain one (``domain.names``).

    Raises:
        InvalidSettings: otherwise; nothing else is ever put into SQL as text.
    """
    if problem := schema_name_problem(schema):
        raise InvalidSettings([problem])
    return schema


class Statements:
    """The statements of ``sql/`` by file name: ``statements["claim"]``."""

    def __init__(self, schema: str) -> None:
        self._texts = {
            file.name.removesuffix(".sql"): qualified(file.read_text("utf-8"), schema)
            for file in (_PACKAGE / "sql").iterdir()
            if file.name.endswith(".sql")
        }

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)
