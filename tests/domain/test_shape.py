"""Who waits is counted once, in the bucket of its age."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.shape import AGES, Waiting, bucket

SOME = st.lists(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9)))


@pytest.mark.parametrize("number, age", list(enumerate(AGES)))
def test_a_bucket_ends_before_the_next_begins(number: int, age: timedelta) -> None:
    """An age at the border belongs to the older one."""
    assert (bucket(age - timedelta.resolution), bucket(age)) == (number, number + 1)


@given(SOME)
def test_everybody_is_counted_once(ages: list[timedelta]) -> None:
    """As many as there are, and the oldest is the oldest."""
    waiting = Waiting.of(ages)
    assert waiting.number == len(ages)
    assert waiting.oldest == max(ages, default=timedelta(0))
    assert [waiting.counts[n] for n in range(len(AGES) + 1)] == [
        sum(bucket(age) == n for age in ages) for n in range(len(AGES) + 1)
    ]


def test_many_of_one_age_are_joined_at_once() -> None:
    """As a database counts them."""
    assert Waiting().joined(timedelta(hours=2), 3) == Waiting.of([timedelta(hours=2)] * 3)
