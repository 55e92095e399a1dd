"""The pages as a test reads them: their code blocks, with what stands right before each, their links and headings.

Three marks, none of them visible to a reader on a page that is drawn:

* ```<!-- norun: reason -->``` before a block keeps it from being run.
* ```<!-- run``` … ```-->``` is Python that is run in its place and not shown.
* A line that is nothing but a path in backticks (and a colon) before a block makes the block that file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))

_FENCE = re.compile(r"```(\w*)")
_NORUN = re.compile(r"<!-- norun: (\S.*) -->")
_CAPTION = re.compile(r"`([\w./-]+\.\w+)`:?")
_LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`]+)`")


@attrs.frozen
class Block:
    """A fenced block, or a hidden one. ``line`` is that of its first line of text, counted from 1."""

    page: Path
    line: int
    language: str
    text: str
    file: str | None = None
    norun: str | None = None

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{named(self.page)}:{self.line}"


def named(page: Path) -> str:
    """A page by its path within the project."""
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    return list(blocks_in(page, page.read_text()))


def blocks_in(page: Path, text: str) -> Iterator[Block]:
    """All blocks of ``text``, as those of ``page``."""
    lines = enumerate(text.splitlines(), 1)
    before = ""  # the last line that was not blank
    for number, line in lines:
        if fence := _FENCE.match(line):
            inside = _until("```", lines)
            yield Block(page, number + 1, fence[1], inside, _group(_CAPTION, before), _group(_NORUN, before))
        elif line == "<!-- run":
            yield Block(page, number + 1, "python", _until("-->", lines))
        before = line.strip() or before


def _until(end: str, lines: Iterator[tuple[int, str]]) -> str:
    inside: list[str] = []
    for _, line in lines:
        if line.startswith(end):
            return "".join(inside)
        inside.append(line + "\n")
    raise AssertionError(f"a block is not closed by {end}")


def _group(pattern: re.Pattern[str], line: str) -> str | None:
    found = pattern.fullmatch(line)
    return found[1] if found else None


def prose(page: Path) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$|^<!-- run$.*?^-->$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    """The targets of all links."""
    return _LINK.findall(prose(page))


def spans(page: Path) -> list[str]:
    """All code in the running text, on one line each."""
    return [" ".join(span.split()) for span in _SPAN.findall(prose(page))]


def anchors(page: Path) -> set[str]:
    """The fragments that its headings make, by the rule of the usual hosts."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = page.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
