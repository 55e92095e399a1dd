# noqa: INP001 - a script of its own, not a package
"""Draws ``docs/reference/ports.md`` from the docstrings of ``domain/*ports.py``.

    .venv/bin/python tools/draw_ports.py            draw it
    .venv/bin/python tools/draw_ports.py --check    exit 1 if it is stale

What stands above the mark is written by hand and kept.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/ports.md"
DOMAIN = ROOT / "src/galaxy_mail/domain"
PORTS = [DOMAIN / "ports.py", *sorted(DOMAIN.glob("*_ports.py"))]
SUITES = ROOT / "src/galaxy_mail/testing/contracts"
MARK = "<!-- Below: drawn by tools/draw_ports.py from domain/*ports.py. Change it there; a test holds it against the code. -->\n"

Method = ast.FunctionDef | ast.AsyncFunctionDef


def page() -> str:
    """The page as it should be."""
    above, _, _ = PAGE.read_text().partition(MARK)
    return above + MARK + "".join(_port(port) for path in PORTS for port in _classes(path))


def _classes(path: Path) -> Iterator[ast.ClassDef]:
    return (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef))


def _port(port: ast.ClassDef) -> str:
    methods = [node for node in port.body if isinstance(node, Method)]
    return f"\n## {port.name}\n\n{_text(port)}{_suite(port.name)}" + "".join(map(_method, methods))


def _suite(port: str) -> str:
    found = [
        f"galaxy_mail.testing.contracts.{path.stem}.{node.name}"
        for path in sorted(SUITES.glob("*.py"))
        for node in _classes(path)
        if node.name == f"{port}Contract" and port != "Store"
    ]
    return "".join(f"\nSuite: `{name}`\n" for name in found)


def _method(method: Method) -> str:
    arguments = ast.unparse(method.args).removeprefix("self").removeprefix(", ")
    waits = "await " if isinstance(method, ast.AsyncFunctionDef) else ""
    returns = ast.unparse(method.returns) if method.returns else ""
    return f"\n### {method.name}\n\n`{waits}{method.name}({arguments}) -> {returns}`\n\n{_text(method)}"


def _text(node: ast.ClassDef | Method) -> str:
    """A docstring as Markdown: laws are lines of a list, and each names its proof as code."""
    text = ast.get_docstring(node) or ""
    text = text.replace("``", "`")
    text = re.sub(r"^(Promises|May raise|Concurrency)$", r"**\1**\n", text, flags=re.MULTILINE)
    text = re.sub(r"(?<=[.\n;] )(test_\w+)|^(\s*)(test_\w+)", r"\2`\1\3`", text, flags=re.MULTILINE)
    return text.strip() + "\n"


def main() -> int:
    """Draw the page, or say that it is stale."""
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.stdout.write("ports.md is stale: run .venv/bin/python tools/draw_ports.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
