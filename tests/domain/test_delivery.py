"""The life of a delivery: every pair of status and event, and what follows from the table."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import RecipientKind
from galaxy_mail.domain.delivery import (
    TRANSITIONS,
    AttemptOutcome,
    DeadLetterReason,
    DeliveryEvent,
    DeliveryStatus,
    RecipientState,
    transition,
)
from galaxy_mail.domain.errors import IllegalTransition

PENDING, RETRYING, SENT, DEAD = DeliveryStatus

LEGAL = {
    (PENDING, DeliveryEvent.RELEASED): PENDING,
    (PENDING, DeliveryEvent.ABANDONED): RETRYING,
    (PENDING, DeliveryEvent.DEFERRED): RETRYING,
    (PENDING, DeliveryEvent.COMPLETED): SENT,
    (PENDING, DeliveryEvent.GIVEN_UP): DEAD,
    (RETRYING, DeliveryEvent.RELEASED): RETRYING,
    (RETRYING, DeliveryEvent.ABANDONED): RETRYING,
    (RETRYING, DeliveryEvent.DEFERRED): RETRYING,
    (RETRYING, DeliveryEvent.COMPLETED): SENT,
    (RETRYING, DeliveryEvent.GIVEN_UP): DEAD,
    (DEAD, DeliveryEvent.RESENT): PENDING,
}


@pytest.mark.parametrize("status, event", list(product(DeliveryStatus, DeliveryEvent)))
def test_every_pair_is_in_the_table_or_illegal(status: DeliveryStatus, event: DeliveryEvent) -> None:
    """A pair moves where the table says, or raises and names both; there is no third way."""
    if (status, event) in LEGAL:
        assert transition(status, event) is LEGAL[status, event]
    else:
        with pytest.raises(IllegalTransition, match=f"a delivery that is {status} cannot be {event}"):
            transition(status, event)


@given(st.lists(st.sampled_from(DeliveryEvent)))
def test_an_illegal_event_moves_nothing(events: list[DeliveryEvent]) -> None:
    """Along any history, refused events leave the delivery where it was, and the table as it was."""
    before = {status: dict(exits) for status, exits in TRANSITIONS.items()}
    status = PENDING
    for event in events:
        try:
            status = transition(status, event)
        except IllegalTransition:
            assert (status, event) not in LEGAL
    assert status is walked(events)
    assert {status: dict(exits) for status, exits in TRANSITIONS.items()} == before


def walked(events: list[DeliveryEvent]) -> DeliveryStatus:
    """The model: the legal events alone."""
    status = PENDING
    for event in events:
        status = LEGAL.get((status, event), status)
    return status


def test_every_status_has_a_row() -> None:
    """Terminal states are present, with no exits or the operator's alone."""
    assert set(TRANSITIONS) == set(DeliveryStatus)
    assert {status for status in DeliveryStatus if status.terminal} == {SENT, DEAD}
    assert dict(TRANSITIONS[SENT]) == {}
    assert dict(TRANSITIONS[DEAD]) == {DeliveryEvent.RESENT: PENDING}


def test_every_status_can_be_reached_and_left_for_an_end() -> None:
    """From pending every status is reachable, and from each that is not terminal both ends are."""
    assert reachable(PENDING) == set(DeliveryStatus)
    assert reachable(RETRYING) >= {SENT, DEAD}
    assert reachable(SENT) == {SENT}


def reachable(start: DeliveryStatus) -> set[DeliveryStatus]:
    """Every status that some history leads to."""
    found, frontier = {start}, [start]
    while frontier:
        onward = set(TRANSITIONS[frontier.pop()].values()) - found
        found |= onward
        frontier += onward
    return found


def test_only_an_operator_leaves_a_terminal_status() -> None:
    """No event but a resend moves what has ended (P6), and a resend moves nothing else."""
    for status, exits in TRANSITIONS.items():
        assert (DeliveryEvent.RESENT in exits) == (status is DEAD)
        assert not (status.terminal and exits.keys() - {DeliveryEvent.RESENT})


@pytest.mark.parametrize(
    "enum, values",
    [
        (DeliveryStatus, ["pending", "retrying", "sent", "dead_lettered"]),
        (AttemptOutcome, ["success", "transient_error", "permanent_error"]),
        (RecipientKind, ["to", "cc", "bcc", "reply_to"]),
        (RecipientState, ["open", "accepted", "refused"]),
        (
            DeadLetterReason,
            ["refused", "exhausted", "expired", "aged_out", "unrenderable", "poison", "uncertain"],
        ),
    ],
)
def test_the_values_are_exactly_these(enum: type[DeliveryStatus], values: list[str]) -> None:
    """What is stored and shown are these words, no more and no fewer; they are their own text."""
    assert [member.value for member in enum] == values
    assert [str(member) for member in enum] == values
