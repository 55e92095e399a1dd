from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.book import Book, Spread, percentile
from bench.keys import KEYS

samples = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


@given(samples)
def test_a_median_lies_between_the_least_and_the_most(values: list[float]) -> None:
    """A spread is ordered, and made of what was measured."""
    spread = Spread.of(values)
    assert min(values) == spread.least <= spread.median <= spread.most == max(values)


@given(samples, st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_percentile_is_a_sample_that_enough_others_do_not_exceed(values: list[float], share: float) -> None:
    """The smallest sample with at least that share of all at or below it."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_the_json_has_every_key_whatever_was_measured() -> None:
    """A key without samples is null, not missing."""
    empty = Book().json()
    heads = {key.name.partition(".")[0] for key in KEYS if key.in_json}
    assert set(empty) == heads
    assert empty["drain_1"] is None
    assert empty["latency_ms"] == {"p50": None, "p99": None}


def _fail() -> None:
    raise OSError("no such peer")


def test_a_failure_is_noted_and_makes_the_book_incomplete() -> None:
    """What goes wrong in a step ends that step alone, and is never forgotten."""
    book = Book()
    for key in KEYS:
        book.add(key.name, 1.0)
    assert book.complete()
    with book.watched("peers.x"):
        _fail()
    assert book.failures == ["peers.x: OSError: no such peer"]
    assert not book.complete()


def test_a_cancelled_run_is_not_a_failed_step() -> None:
    """Ctrl-C ends the run."""
    with pytest.raises(KeyboardInterrupt), Book().watched("x"):
        raise KeyboardInterrupt
