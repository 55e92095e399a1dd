"""What README and ARCHITECTURE count and name is what there is."""

from __future__ import annotations

import ast
import re

from galaxy_mail.adapters.postgres import migration_script
from tests.docs.pages import ROOT, rows

NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
README = re.sub(r"\s+", " ", (ROOT / "README.md").read_text())
MAP = (ROOT / "ARCHITECTURE.md").read_text()
PACKAGE = ROOT / "src/galaxy_mail"
TABLES = re.findall(r"create table (?:if not exists )?\S+?\.(\w+)", migration_script("x"))


def ports() -> set[str]:
    """The protocols of ``domain/ports.py`` and its neighbours, but for the one that only joins others."""
    trees = [ast.parse(path.read_text()) for path in PACKAGE.glob("domain/*ports.py")]
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)} - {"Store"}


def test_the_tables_are_counted_truly() -> None:
    """Who looks for galaxy_mail in a database finds as many tables as README says."""
    assert f"{NUMBERS[len(TABLES)]} tables in a schema of their own" in README


def test_the_ports_are_counted_truly() -> None:
    """As many as there are to be written anew; and the map names each."""
    assert f"{NUMBERS[len(ports())]} small ports" in README
    assert ports() <= set(re.findall(r"`(\w+)`", MAP))


def test_every_table_has_its_place_on_the_map() -> None:
    """No table is only found by reading SQL."""
    assert set(TABLES) <= set(re.findall(r"\b\w+\b", MAP))


def test_every_folder_of_adapters_has_its_place_on_the_map() -> None:
    """An adapter that the map does not know is not found."""
    folders = {path.parent.name for path in PACKAGE.glob("adapters/*/__init__.py")}
    assert {folder for folder in folders if f"adapters/{folder}" not in MAP} == set()


def test_the_glossary_is_short() -> None:
    """A term a line, in at most fifteen words."""
    meanings = dict(rows(ROOT / "ARCHITECTURE.md", "Words"))
    assert meanings.keys() == {
        "lane", "claim", "lease", "sign of life", "token", "gate", "suspect", "rider", "settle", "verdict", "burn", "notice",
        "outage", "probe", "put off",
    }  # fmt: skip
    assert {term: text for term, text in meanings.items() if len(text.split()) > 15} == {}


def test_every_decision_is_listed_by_its_title() -> None:
    """In the order of their numbers."""
    folder = ROOT / "docs/adr"
    titles = [path.read_text().partition("\n")[0] for path in sorted(folder.glob("0*.md"))]
    told = re.findall(r"^\| \[(\d+)\]\(\S+\) \| (.*) \|$", (folder / "README.md").read_text(), re.MULTILINE)
    assert [f"# {number} {title}" for number, title in told] == titles
