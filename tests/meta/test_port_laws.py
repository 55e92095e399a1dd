"""Every law of the ports has its test in the shipped contracts, and every test there is a law of a port."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from galaxy_mail import domain
from galaxy_mail.testing import contracts

LAW = re.compile(r"\btest_\w+")
DOMAIN = Path(domain.__path__[0])
PORTS = ast.Module(
    [node for path in DOMAIN.glob("*ports.py") for node in ast.parse(path.read_text()).body], type_ignores=[]
)
CONTRACTS = [ast.parse(path.read_text()) for path in Path(contracts.__path__[0]).glob("*.py")]


def laws(module: ast.Module) -> dict[str, list[str]]:
    """The names of tests in the docstrings of each Protocol and of its methods, in order."""
    return {
        node.name: LAW.findall("\n".join(filter(None, map(_docstring, ast.walk(node)))))
        for node in module.body
        if isinstance(node, ast.ClassDef)
    }


def _docstring(node: ast.AST) -> str | None:
    documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return ast.get_docstring(node) if isinstance(node, documented) else None


def proofs(modules: list[ast.Module]) -> Counter[str]:
    """The names of the tests in the classes of modules."""
    return Counter(
        function.name
        for module in modules
        for node in module.body
        if isinstance(node, ast.ClassDef)
        for function in node.body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_")
    )


def test_the_reader_finds_laws_wherever_they_stand() -> None:
    """A law is found in the docstring of a class or a method, also on a line of its own, and nowhere else."""
    source = '''
class Port(Protocol):
    """It stands. test_it_stands"""
    async def take(self) -> None:
        """Take.

        - A long law.
          test_a_long_law
        """
        return "test_no_law"
'''
    assert laws(ast.parse(source)) == {"Port": ["test_it_stands", "test_a_long_law"]}


@pytest.mark.parametrize("port", laws(PORTS))
def test_every_law_has_its_test(port: str) -> None:
    """What a docstring of a port names exists in galaxy_mail.testing.contracts, under exactly that name."""
    assert {law for law in laws(PORTS)[port] if law not in proofs(CONTRACTS)} == set()


def test_every_port_has_laws() -> None:
    """A port without a law would be a shape and no agreement."""
    assert {port for port, named in laws(PORTS).items() if not named} == set()


def test_every_test_is_a_law() -> None:
    """A contract tests nothing that the port does not promise, and has one test for one law."""
    named = {law for each in laws(PORTS).values() for law in each}
    assert set(proofs(CONTRACTS)) - named == set()
    assert {name for name, times in proofs(CONTRACTS).items() if times > 1} == set()
