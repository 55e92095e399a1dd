"""Every promise of docs/explanation/guarantees.md says how it is proved."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.docs.pages import ROOT, rows

PAGE = (ROOT / "docs/explanation/guarantees.md").read_text()
PROMISES = PAGE.split("\n## The promises\n", 1)[1].split("\n## ", 1)[0].split("\n### ")[1:]


def test_every_promise_names_its_proof() -> None:
    """A section ends with the tests that prove it; that they exist is checked with all links."""
    silent = [
        promise.partition("\n")[0]
        for promise in PROMISES
        if not re.search(r"^Proved (?:by|in parts:).*`test_\w+`", promise, flags=re.MULTILINE | re.DOTALL)
    ]
    assert PROMISES
    assert silent == []


def test_the_first_sentence_admits_the_weakness() -> None:
    """Whoever reads one sentence reads this one."""
    title, _, text = PAGE.partition("\n\n")
    assert title.startswith("# ")
    assert text.startswith("You may receive a mail twice. Here is when")


def written_tests() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """All tests there are, by name: ours and those that we ship."""
    for path in (*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("src/galaxy_mail/testing/contracts/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield node.name, node


def test_each_of_the_sixteen_promises_has_a_test_of_its_own() -> None:
    """It exists, nobody skips it, another promise does not lean on it, and it stands under the promise's own heading."""
    written = dict(written_tests())
    named: dict[str, str] = {}
    for number, promise, read in rows(ROOT / "docs/explanation/guarantees.md", "The promises"):
        title, name = promise[1:].partition("](")[0], read.strip("`")
        named[number] = name
        (section,) = (each for each in PROMISES if each.startswith(title + "\n"))
        assert f"`{name}`" in section, number
        assert not any("skip" in ast.unparse(mark) for mark in written[name].decorator_list), number
    assert list(named) == [f"P{number}" for number in range(1, 17)]
    assert len(set(named.values())) == 16
