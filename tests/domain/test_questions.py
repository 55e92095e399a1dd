from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from galaxy_mail.domain import questions
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.records import DeliveryQuery
from tests.domain.people import input_problem as problem

ID = UUID(int=7)
CENTURY = timedelta(days=36_525)


@pytest.mark.parametrize("value", ["x", str(ID), "\0", 7, None, b"x" * 16])
def test_an_id_is_no_text(value: object) -> None:
    """What is no UUID never reaches the store, which could say nothing but that it failed."""
    assert problem(questions.delivery_id, value).startswith("delivery_id: ")
    assert questions.delivery_id(ID) is ID


@pytest.mark.parametrize(
    "field, values",
    [
        ("status", ["bogus", 7, "", b"sent", []]),
        ("template", ["", "\0", "s3cret\ud800", "a\nb", "x" * 256, 7, b"note"]),
        ("recipient", ["", "nobody", "s3cret\0@example.org", 7]),
        ("limit", [0, -1, 1001, True, "5", 5.0, None, float("nan")]),
    ],
)
def test_what_no_store_can_be_asked_is_named(field: str, values: list[Any]) -> None:
    """Each part of a search by its name, and never by its value."""
    good: dict[str, object] = {"status": None, "template": None, "recipient": None, "limit": 50}
    for value in values:
        told = problem(lambda value=value: questions.query(**good | {field: value}))
        assert told.startswith(f"{field}: ")
        assert "s3cret" not in told


def test_a_search_is_what_was_asked() -> None:
    """A status by its value as well; an address in the form in which it is kept."""
    asked = questions.query("sent", "note", "Ada@EXAMPLE.org", 1)
    assert asked == DeliveryQuery(DeliveryStatus.SENT, "note", "Ada@example.org", 1)


@pytest.mark.parametrize("value", [timedelta(days=-1), CENTURY + timedelta(1), timedelta.max, 7, None, "30d"])
def test_an_age_is_between_nothing_and_a_century(value: object) -> None:
    """And a length of time."""
    assert problem(questions.age, value).startswith("ended_before: ")
    assert questions.age(CENTURY) == CENTURY
    assert questions.age(timedelta(0)) == timedelta(0)
