"""Every link of the docs leads somewhere, every page can be found, and what a page names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links, named, spans

PACKAGE = ROOT / "src" / "galaxy_mail"
# Paths of ours in running text begin with one of these; others are the reader's own.
ROOMS = re.compile(
    r"(?:src|tests|docs|tools|bench|changelog\.d|requirements|domain|adapters|app|testing|sql)/[\w./-]+"
)
TEST = re.compile(r"test_\w+")


def broken(page: Path) -> list[str]:
    """The targets of a page's links that do not exist."""
    return [target for target in links(page) if not _leads_somewhere(page, target)]


def _leads_somewhere(page: Path, target: str) -> bool:
    if target.startswith(("https://", "mailto:")):
        return True
    path, _, anchor = target.partition("#")
    aim = (page.parent / path).resolve() if path else page
    return aim.exists() and (not anchor or anchor in anchors(aim))


@cache
def proofs() -> frozenset[str]:
    """The names of all tests and test modules, those of the shipped contracts included."""
    files = [*(ROOT / "tests").rglob("*.py"), *(PACKAGE / "testing").rglob("*.py")]
    functions = [
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return frozenset([*functions, *(file.stem for file in files)])


def unproved(page: Path) -> set[str]:
    """Tests that a page names and that do not exist."""
    return {span for span in spans(page) if TEST.fullmatch(span)} - proofs()


def missing(page: Path) -> set[str]:
    """Paths of ours that a page names and that do not exist."""
    paths = {span for span in spans(page) if ROOMS.fullmatch(span)}
    return {path for path in paths if not any((home / path).exists() for home in _homes())}


def _homes() -> tuple[Path, ...]:
    return (ROOT, PACKAGE, PACKAGE / "adapters" / "postgres")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link's file exists, and so does the heading that it names."""
    assert broken(page) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_that_is_named_exists(page: Path) -> None:
    """A promise that names its proof has one."""
    assert unproved(page) == set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_path_that_is_named_exists(page: Path) -> None:
    """Who looks where a page says finds something."""
    assert missing(page) == set()


def test_every_page_can_be_found() -> None:
    """From README.md, by links alone, every page is reached."""
    found, unread = set[Path](), [ROOT / "README.md"]
    while unread:
        page = unread.pop()
        if page in found or page.suffix != ".md":
            continue
        found.add(page)
        aims = [
            (page.parent / target.partition("#")[0]).resolve()
            for target in links(page)
            if "://" not in target
        ]
        unread += [aim for aim in aims if aim.is_file()]
    assert {named(page) for page in PAGES} == {named(page) for page in found}


def test_what_is_missing_is_seen(tmp_path: Path) -> None:
    """The checks above are awake: a bad link, heading, test and path are each found, and blocks are not read."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n[x](nowhere.md) [y](#a-page) [z](#another)\n`test_no_such_law` `test_what_is_missing_is_seen` "
        "`domain/ports.py` `domain/nothing.py` `shop/signup.py`\n```text\n[x](in-a-block.md)\n```\n"
    )
    assert broken(page) == ["nowhere.md", "#another"]
    assert unproved(page) == {"test_no_such_law"}
    assert missing(page) == {"domain/nothing.py"}
