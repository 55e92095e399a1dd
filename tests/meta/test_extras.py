"""Whoever installs an extra can import what it is for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TESTING = ROOT / "src/galaxy_mail/testing"


def packages(requirements: list[str]) -> set[str]:
    """The names of what is required, as they are imported."""
    return {re.split(r"[^\w-]", one)[0].replace("-", "_") for one in requirements}


def imported(folder: Path) -> set[str]:
    """The packages that the modules of a folder import, but for Python's own and ours."""
    nodes = [node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"galaxy_mail"}


def test_the_shipped_suites_need_no_more_than_their_extra() -> None:
    """What ``galaxy_mail.testing`` imports, and the plugin that runs its coroutines, comes with galaxy-mail[testing]."""
    extra = packages(PROJECT["optional-dependencies"].get("testing", []))
    assert imported(TESTING) | {"pytest_asyncio"} <= extra | packages(PROJECT["dependencies"])
