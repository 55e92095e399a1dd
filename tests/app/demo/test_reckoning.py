"""The demo's account finds every mail that is lost, doubled, strange or untold, and adds up only if there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.app.demo.inbox import Arrival
from galaxy_mail.app.demo.reckoning import Account, Figures
from galaxy_mail.app.demo.scenario import ADMIN, Ordered
from galaxy_mail.domain.addresses import RecipientKind
from galaxy_mail.domain.delivery import AttemptOutcome, DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.records import AttemptRecord, DeliveryRecord, DeliverySummary, RecipientRecord

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SENT, DEAD = DeliveryStatus.SENT, DeliveryStatus.DEAD_LETTERED
ATTEMPT = AttemptRecord(1, NOW, timedelta(0), AttemptOutcome.SUCCESS, "dot", "nobody", True, False, 250, None, None, "", None, "w", "1")  # fmt: skip


def record(number: int, people: list[str], status: DeliveryStatus = SENT) -> DeliveryRecord:
    """A delivery that has ended this way for all its recipients, at the first attempt."""
    state = RecipientState.ACCEPTED if status is SENT else RecipientState.REFUSED
    reason = DeadLetterReason.REFUSED if status is DEAD else None
    summary = DeliverySummary(
        UUID(int=number), status, "welcome", Lane.NORMAL, 1, NOW, None, None, NOW, reason, False, None
    )
    recipients = tuple(RecipientRecord(RecipientKind.TO, one, "", state, 250, "") for one in people)
    return DeliveryRecord(summary, f"{number}@x", recipients, (ATTEMPT,))


def arrival(number: int, *people: str) -> Arrival:
    """A copy of that delivery."""
    return Arrival(people, f"Message-ID: <{number}@x>\r\n\r\n".encode())


NOTICE = Arrival((ADMIN,), f"Message-ID: <n@x>\r\n\r\ndelivery {UUID(int=3)}\r\n".encode())
GOOD = Account(
    ordered=[Ordered(f"order {n}", UUID(int=n), status) for n, status in ((1, SENT), (2, SENT), (3, DEAD))],
    records=[record(1, ["a@x", "b@x"]), record(2, ["a@x"]), record(3, ["c@x"], DEAD)],
    arrivals=[arrival(1, "a@x", "b@x"), arrival(2, "a@x"), NOTICE],
    customers=["Zoë"],
)


def changed(**changes: Any) -> Account:
    """The good account with something wrong."""
    return attrs.evolve(GOOD, **changes)


def test_what_adds_up_has_no_grievance() -> None:
    """A copy is counted for each recipient, the notice to the administrator is none."""
    assert GOOD.grievances() == []
    assert GOOD.figures(1.234) == Figures(3, 2, 1, copies_received=3, lost=0, duplicates=0, seconds=1.23)


WRONGS: dict[str, tuple[Callable[[], Account], dict[str, int]]] = {
    "never in the tables": (lambda: changed(records=GOOD.records[1:]), {"enqueued": 2, "sent": 1, "copies_received": 1, "lost": 1}),
    "sent without a copy": (lambda: changed(arrivals=[*GOOD.arrivals[1:]]), {"copies_received": 1, "lost": 2}),
    "one recipient without": (lambda: changed(arrivals=[arrival(1, "a@x"), *GOOD.arrivals[1:]]), {"copies_received": 2, "lost": 1}),
    "a copy twice": (lambda: changed(arrivals=[*GOOD.arrivals, arrival(2, "a@x")]), {"copies_received": 4, "duplicates": 1}),
    "a copy for a stranger": (lambda: changed(arrivals=[*GOOD.arrivals, arrival(2, "z@x")]), {"copies_received": 4}),
    "a copy of a dead letter": (lambda: changed(arrivals=[*GOOD.arrivals, arrival(3, "c@x")]), {"copies_received": 4}),
    "a mail nobody knows": (lambda: changed(arrivals=[*GOOD.arrivals, arrival(9, "a@x")]), {}),
    "a row nobody ordered": (lambda: changed(ordered=GOOD.ordered[1:]), {}),
    "not ended": (
        lambda: changed(records=[record(1, ["a@x"], DeliveryStatus.RETRYING), *GOOD.records[1:]], arrivals=GOOD.arrivals[1:]),
        {"sent": 1, "copies_received": 1, "lost": 1},
    ),
    "dead and untold": (lambda: changed(arrivals=GOOD.arrivals[:2]), {}),
    "ended otherwise": (lambda: changed(ordered=[attrs.evolve(GOOD.ordered[0], ends=DEAD), *GOOD.ordered[1:]]), {}),
    "other attempts": (lambda: changed(ordered=[attrs.evolve(GOOD.ordered[0], attempts=2), *GOOD.ordered[1:]]), {}),
    "a ghost in the shop": (lambda: changed(customers=["Ghost", "Zoë"]), {}),
    "no customer": (lambda: changed(customers=[]), {}),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONGS)
def test_each_thing_that_can_be_wrong_is_a_grievance(wrong: str) -> None:
    """The demo cannot end with 0, and the figures say what they can."""
    make, figures = WRONGS[wrong]
    account = make()
    assert account.grievances()
    expected = attrs.asdict(GOOD.figures(0)) | figures
    assert attrs.asdict(account.figures(0)) == expected


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["a@x", "b@x", "c@x"])), max_size=12))
def test_copies_are_counted_as_they_are(copies: list[tuple[int, str]]) -> None:
    """Whatever arrives: received = distinct + duplicates, and lost are exactly those accepted without a copy."""
    account = changed(arrivals=[arrival(number, person) for number, person in copies])
    figures = account.figures(0)
    accepted = {(1, "a@x"), (1, "b@x"), (2, "a@x")}
    assert figures.copies_received == len(copies)
    assert figures.duplicates == len(copies) - len(set(copies))
    assert figures.lost == len(accepted - set(copies))
