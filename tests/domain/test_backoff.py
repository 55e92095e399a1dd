"""How long to wait: the whole policy as properties."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.domain.backoff import BackoffPolicy

ROUNDING = timedelta(microseconds=1)
LONGEST = timedelta(days=400)

attempts = st.one_of(st.integers(1, 40), st.integers(1, 10**12))
dice = st.floats(0, 1, exclude_max=True)


@st.composite
def policies(draw: st.DrawFn) -> BackoffPolicy:
    """Any policy that may be configured, sensible or not."""
    base = draw(st.timedeltas(timedelta(microseconds=1), LONGEST))
    cap = draw(st.timedeltas(base, LONGEST))
    factor = draw(st.floats(1, allow_nan=False))
    return BackoffPolicy(base, factor, cap, draw(st.floats(0, 1, exclude_max=True)))


def uncut(policy: BackoffPolicy, attempt: int) -> timedelta:
    """The delay without jitter: dice in the middle."""
    return policy.delay(attempt, 0.5)


def test_the_defaults_are_five_seconds_doubled_up_to_an_hour() -> None:
    """5, 10, 20 … seconds, 2560 after the tenth failure, and an hour from the eleventh on."""
    policy = BackoffPolicy()
    assert [uncut(policy, n).total_seconds() for n in (1, 2, 3, 10, 11, 12)] == [5, 10, 20, 2560, 3600, 3600]


@pytest.mark.parametrize("dice, factor", [(0.0, 0.75), (0.25, 0.875), (0.5, 1.0), (0.75, 1.125)])
@pytest.mark.parametrize("attempt, seconds", [(1, 5), (4, 40), (100, 3600)])
def test_jitter_is_a_quarter_either_way_and_comes_after_the_cap(
    dice: float, factor: float, attempt: int, seconds: int
) -> None:
    """Even the longest waits are spread: the cap is applied first."""
    assert BackoffPolicy().delay(attempt, dice) == timedelta(seconds=seconds * factor)


@given(policies(), attempts, dice)
def test_a_delay_stays_in_its_bounds(policy: BackoffPolicy, attempt: int, dice: float) -> None:
    """Between base and cap, each widened by the jitter."""
    delay = policy.delay(attempt, dice)
    assert (
        policy.base * (1 - policy.jitter) - ROUNDING <= delay <= policy.cap * (1 + policy.jitter) + ROUNDING
    )


@given(policies(), dice)
def test_the_first_delay_is_the_base(policy: BackoffPolicy, dice: float) -> None:
    """Whatever the factor, the first failure waits the base, jittered."""
    assert abs(policy.delay(1, dice) - policy.base * (1 + policy.jitter * (2 * dice - 1))) <= ROUNDING


@given(policies(), attempts, st.integers(0, 1000), dice)
def test_a_later_attempt_never_waits_less_at_equal_dice(
    policy: BackoffPolicy, attempt: int, more: int, dice: float
) -> None:
    """Monotone in the attempt."""
    assert policy.delay(attempt, dice) <= policy.delay(attempt + more, dice)


@given(policies(), attempts, dice, dice)
def test_higher_dice_never_wait_less(policy: BackoffPolicy, attempt: int, one: float, other: float) -> None:
    """Monotone in the dice."""
    low, high = sorted((one, other))
    assert policy.delay(attempt, low) <= policy.delay(attempt, high)


@given(policies(), st.integers(10**9, 10**12), dice)
@example(BackoffPolicy(), 10**9, 0.5)
@example(BackoffPolicy(factor=1.0), 10**9, 0.5)
@example(BackoffPolicy(factor=1.0000001), 10**18, 0.5)
def test_no_attempt_is_too_late(policy: BackoffPolicy, attempt: int, dice: float) -> None:
    """The 10⁹th attempt has a delay like any other: nothing overflows."""
    assert timedelta(0) <= policy.delay(attempt, dice) <= policy.cap * 2


def test_a_factor_of_one_never_grows() -> None:
    """A constant pace can be configured."""
    assert uncut(BackoffPolicy(factor=1.0), 10**9) == timedelta(seconds=5)


def test_no_jitter_means_no_dice() -> None:
    """Without jitter the dice do not matter."""
    policy = BackoffPolicy(jitter=0.0)
    assert policy.delay(3, 0.0) == policy.delay(3, 0.99) == timedelta(seconds=20)


@pytest.mark.parametrize(
    "wrong",
    [
        {"base": timedelta(0)},
        {"base": timedelta(seconds=-5)},
        {"base": timedelta(hours=2)},
        {"factor": 0.5},
        {"factor": float("nan")},
        {"jitter": -0.1},
        {"jitter": 1.0},
    ],
)
def test_a_policy_that_makes_no_sense_cannot_be_made(wrong: dict[str, object]) -> None:
    """Settings are checked at the edge, with kind words; here it is an invariant."""
    with pytest.raises(AssertionError):
        BackoffPolicy(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("attempt", [0, -1])
def test_attempts_are_counted_from_one(attempt: int) -> None:
    """Asking before the first failure is a bug."""
    with pytest.raises(AssertionError):
        BackoffPolicy().delay(attempt, 0.5)
