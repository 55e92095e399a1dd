"""The table as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.book import PEER, Book, Spread
from bench.keys import KEYS


def rows(book: Book) -> Iterator[tuple[str, Spread | None, str, str, str]]:
    """Key, spread, unit, meaning and how QUICK scales it, for every figure."""
    for key in KEYS:
        if key.name == "peers":
            for name, spread in book.peers().items():
                yield f"{PEER}{name}", spread, key.unit, key.meaning, key.scaled
        else:
            yield key.name, book.spread(key.name), key.unit, key.meaning, key.scaled


def lines(book: Book, about: Mapping[str, str], *, quick: bool) -> Iterator[str]:
    """The figures, what failed, what is to be known, and the machine."""
    yield f"{'':30} {'median':>9} {'min':>9} {'max':>9}"
    for name, spread, unit, _, scaled in rows(book):
        figures = (
            [figure(value) for value in (spread.median, spread.least, spread.most)] if spread else ["–"] * 3
        )
        small = f"  (QUICK: {scaled})" if quick and scaled else ""
        yield f"{name:30} {figures[0]:>9} {figures[1]:>9} {figures[2]:>9}  {unit}{small}"
    yield ""
    yield from (f"{name}: {value}" for name, value in about.items())
    yield from (f"note: {note}" for note in book.notes)
    yield from (f"FAILED: {failure}" for failure in book.failures)


def figure(value: float) -> str:
    """Three digits, or whole numbers with thousands told apart."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
