"""The domain imports from a short list and nothing else: the contract names what is forbidden, this names what is allowed."""

from __future__ import annotations

import ast
from pathlib import Path

import galaxy_mail.domain

DOMAIN = Path(galaxy_mail.domain.__file__).parent

ALLOWED = {
    "galaxy_mail",  # who of galaxy_mail may be asked is import-linter's contract
    "attrs",
    "idna",
    # standard library without input or output, clock or dice
    "__future__", "base64", "binascii", "collections", "contextlib", "dataclasses", "datetime", "email", "enum", "functools",
    "hashlib", "hmac", "html", "ipaddress", "itertools", "json", "math", "operator", "quopri", "re", "string",
    "types", "typing", "unicodedata", "uuid",
}  # fmt: skip


def imported(source: str) -> set[str]:
    """The top-level names that a module imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_the_check_sees_imports_in_any_place() -> None:
    """An import inside a function counts like one at the top."""
    assert imported("import os.path\ndef f():\n    from time import time") == {"os", "time"}


def test_domain_imports_only_what_is_allowed() -> None:
    """Every import of every domain module is on the list above."""
    strange = {
        f"{path.name} imports {name}"
        for path in DOMAIN.rglob("*.py")
        for name in imported(path.read_text()) - ALLOWED
    }
    assert strange == set()
