"""docs/explanation/performance.md and its two plots, from a template and what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from bench.book import PEER, Book
from bench.chart import Bar, bars
from bench.table import figure, rows

TEMPLATE = Path(__file__).with_name("performance.md.template")
DOCS = Path(__file__).parent.parent / "docs" / "explanation"
NAMES = {
    "drain_2": "galaxy_mail, 2 processes",
    "drain_1": "galaxy_mail",
    "peers.pg_boss": "pg-boss + nodemailer",
    "peers.post_office": "django-post_office",
    "peers.pgqueuer": "pgqueuer",
    "peers.handwritten_10": "by hand, 10 connections",
    "peers.procrastinate": "procrastinate",
    "peers.handwritten_1": "by hand, 1 connection",
}
GROWTH = {
    "growth.empty": "empty table",
    "growth.history_2m": "{history:,} terminal rows",
    "growth.xmin_held": "a transaction held open",
}


def write(book: Book, about: Mapping[str, str], history: int, *, quick: bool, docs: Path = DOCS) -> None:
    """Write the page and the plots into ``docs``."""
    text = Template(TEMPLATE.read_text()).substitute(
        about="\n".join(f"| {name} | {value} |" for name, value in about.items()),
        table="\n".join(_table(book, quick=quick)),
        notes="\n".join(f"- {note}" for note in [*_run(quick=quick), *book.notes, *book.failures]),
    )
    (docs / "performance.md").write_text(text)
    drained = _bars(book, NAMES)
    grown = _bars(book, {key: label.format(history=history) for key, label in GROWTH.items()})
    unit = "mails a second; the bar is the median, the line goes from the least to the most"
    (docs / "performance-drain.svg").write_text(bars("Drained, by peer", unit, drained))
    (docs / "performance-growth.svg").write_text(bars("Drained, by what else is in the tables", unit, grown))


def _bars(book: Book, names: Mapping[str, str]) -> list[Bar]:
    found = [(label, book.spread(key), not key.startswith(PEER)) for key, label in names.items()]
    return [Bar(label, spread, ours) for label, spread, ours in found if spread]


def _run(*, quick: bool) -> Iterator[str]:
    if quick:
        yield "These figures are from `make bench QUICK=1`: smaller tables, two repetitions, of the peers one."


def _table(book: Book, *, quick: bool) -> Iterator[str]:
    yield "| key | median | min | max | unit | what it is |"
    yield "|---|---:|---:|---:|---|---|"
    for name, spread, unit, meaning, scaled in rows(book):
        figures = (spread.median, spread.least, spread.most) if spread else ()
        cells = [figure(value) for value in figures] or ["–"] * 3
        small = f" ({scaled})" if quick and scaled else ""
        yield f"| `{name}` | {' | '.join(cells)} | {unit} | {meaning}{small} |"
