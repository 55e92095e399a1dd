"""How many mails at once, after an outage and where the relay asks for fewer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.pacing import Width


def grown(width: Width) -> list[int]:
    """The width after each round in which everything went through, until it is full."""
    rounds = [width.now]
    while width.now < width.most:
        for _ in range(width.now):
            assert width.now == rounds[-1]
            width = width.after_success()
        rounds.append(width.now)
    return rounds


def test_after_an_outage_it_is_one_two_four() -> None:
    """Each round twofold, and never over the most."""
    assert grown(Width(20).after_outage()) == [1, 2, 4, 8, 16, 20]


def test_after_a_throttle_it_is_half_and_then_one_more_each_round() -> None:
    """The relay has said where its limit is."""
    assert grown(Width(20).after_throttle()) == list(range(10, 21))
    assert grown(Width(20).after_throttle().after_throttle().after_throttle()) == list(range(2, 21))


@given(most=st.integers(1, 100), steps=st.lists(st.sampled_from(["success", "throttle", "outage"])))
def test_it_stays_between_one_and_the_most(most: int, steps: list[str]) -> None:
    """Whatever happens; and nothing but a success widens it."""
    width = Width(most)
    assert width.now == most
    for step in steps:
        before, width = width.now, getattr(width, f"after_{step}")()
        assert 1 <= width.now <= most
        assert width.now <= before or step == "success"
