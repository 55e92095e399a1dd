"""The context of a mail: what JSON and PostgreSQL can hold, taken through JSON once."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain import orders
from tests.domain.people import input_problem as problem

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
contexts = st.dictionaries(st.text("xyz", min_size=1, max_size=4), json_values, max_size=4)


@given(contexts)
def test_a_context_is_what_json_makes_of_it(context: dict[str, object]) -> None:
    """It has been through JSON once, and a second time changes nothing."""
    taken = orders.json_object(context, "context")
    assert taken == json.loads(json.dumps(context))
    assert orders.json_object(taken, "context") == taken


def test_a_context_is_a_copy() -> None:
    """What the caller changes later changes no order; tuples become lists, None is nothing."""
    inner = [1]
    taken = orders.json_object({"a": inner, "b": (1, 2)}, "context")
    inner.append(2)
    assert taken == {"a": [1], "b": [1, 2]}
    assert orders.json_object(None, "context") == {}


def nested(levels: int) -> object:
    """A list in a list in a list …"""
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "value, text",
    [
        ([], "must be a mapping"),
        ("x", "must be a mapping"),
        ({"a": float("nan")}, "a value that JSON cannot"),
        ({"a": float("inf")}, "a value that JSON cannot"),
        ({"a": {"b": [-float("inf")]}}, "a value that JSON cannot"),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, "a value that JSON cannot"),
        ({"a": b"x"}, "a value that JSON cannot"),
        ({"a": {1, 2}}, "a value that JSON cannot"),
        ({"a": 10**5000}, "a value that JSON cannot"),
        ({"a": "s3cret\x00"}, "text with NUL or a lone surrogate"),
        ({"a": ["s3cret\ud800"]}, "text with NUL or a lone surrogate"),
        ({"s3cret\x00": 1}, "text with NUL or a lone surrogate"),
        ({1: "a"}, "a key that is not text"),
        ({"a": {None: "s3cret"}}, "a key that is not text"),
        ({"a": nested(32)}, "nested deeper than 32 levels"),
        ({"a": nested(100_000)}, "nested deeper than 32 levels"),
        ({"a": CIRCLE}, "nested deeper than 32 levels"),
        ({"a": "s3cret" * 200_000}, "larger than 1048576 octets"),
        ({"a": "é" * 524_288}, "larger than 1048576 octets"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_json_or_postgres_cannot_hold_is_refused(value: object, text: str) -> None:
    """Named by field and rule; the value is not repeated."""
    error = problem(orders.json_object, value, "context")
    assert error.startswith("context: ")
    assert text in error
    assert "s3cret" not in error


def test_the_deepest_and_the_largest_context_fit() -> None:
    """The mapping and 31 levels in it; a mebibyte to the octet."""
    assert orders.json_object({"a": nested(31)}, "context") == {"a": nested(31)}
    assert orders.json_object({"a": "x" * (1024 * 1024 - len('{"a": ""}'))}, "context")
