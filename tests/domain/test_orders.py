"""What a producer may order: every wrong argument is an error that names it, and nothing else gets through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain import orders
from galaxy_mail.domain.addresses import EmailAddress, Mailbox, Recipient, RecipientKind
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.orders import Letter, Order
from tests.domain.people import input_problem as problem

ADA, BOB = Mailbox.parse("Ada <ada@example.org>"), Mailbox.parse("bob@example.org")
SENDER = Mailbox.parse("Galaxy <no-reply@example.org>")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DELIVERY = UUID("018f0000-0000-7000-8000-000000000001")
YEAR, SECOND = timedelta(days=366), timedelta(seconds=1)

contexts = st.dictionaries(
    st.text("xyz", min_size=1), st.integers() | st.lists(st.text(max_size=3)), max_size=4
)


# --- people ----------------------------------------------------------------------------------------------------------


def test_people_come_in_the_order_of_their_roles() -> None:
    """To, cc, bcc, reply_to; text and mailboxes, one or many, in the order given."""
    assert orders.recipients(
        reply_to="r@example.org", bcc=[], cc=BOB, to=["ada@example.org", "c@example.org"]
    ) == (
        Recipient(RecipientKind.TO, Mailbox.parse("ada@example.org")),
        Recipient(RecipientKind.TO, Mailbox.parse("c@example.org")),
        Recipient(RecipientKind.CC, BOB),
        Recipient(RecipientKind.REPLY_TO, Mailbox.parse("r@example.org")),
    )


def test_an_address_to_reply_to_may_be_a_recipient_too() -> None:
    """It is a header only, so it may name anybody, and names nobody to deliver to."""
    assert len(orders.recipients(to=ADA, reply_to=[ADA, ADA])) == 3
    assert problem(orders.recipients, reply_to=ADA).startswith("to: the mail has no recipient")


@pytest.mark.parametrize(
    "roles", [{"to": [ADA, ADA]}, {"to": ADA, "cc": "ADA <ada@EXAMPLE.org>"}, {"cc": BOB, "bcc": BOB}]
)
def test_nobody_is_in_the_envelope_twice(roles: dict[str, Any]) -> None:
    """The same address under two names or roles would get two copies."""
    assert problem(orders.recipients, **roles).endswith(": names an address that is already a recipient")


def test_a_thousand_are_enough() -> None:
    """1,000 people in all fit, one more does not."""
    everyone = [f"p{n}@example.org" for n in range(1000)]
    assert len(orders.recipients(to=everyone[:500], bcc=everyone[500:])) == 1000
    assert "more than 1000" in problem(orders.recipients, to=everyone, reply_to=ADA)


@pytest.mark.parametrize("people", [5, b"ada@example.org", {"ada@example.org": "Ada"}, object(), None])
def test_what_is_no_list_of_people_is_refused(people: object) -> None:
    """The role is named."""
    assert (
        problem(orders.recipients, to=ADA, cc=people) == "cc: must be an address or a sequence of addresses"
    )


@pytest.mark.parametrize("person", ["", "ada", None, 5, b"x", ["ada@example.org"]])
def test_each_person_is_checked(person: object) -> None:
    """One bad entry refuses the order, under the name of its role."""
    assert problem(orders.recipients, to=ADA, bcc=[BOB, person]).startswith("bcc: ")


@pytest.mark.parametrize(
    "made",
    [
        Mailbox(ADA.address, "two\nlines"),
        Mailbox(ADA.address, None),  # type: ignore[arg-type]
        Mailbox(EmailAddress("ada", "[192.0.2.1]"), ""),
        Mailbox(EmailAddress("a@b", "example.org"), ""),
        Mailbox(None, ""),  # type: ignore[arg-type]
    ],
)
def test_a_mailbox_that_was_made_by_hand_is_checked_all_the_same(made: Mailbox) -> None:
    """The classes are open to everybody, the order is not."""
    assert problem(orders.mailbox, made, "sender").startswith("sender: ")
    assert orders.mailbox(ADA, "sender") == ADA


# --- single values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["4", "493817", "AB-12 cd", "é" * 64])
def test_a_code_is_one_clean_line(code: str) -> None:
    """1 to 64 characters."""
    assert orders.code(code) == code


@pytest.mark.parametrize(
    "code",
    [
        "",
        " ",
        " s3cret",
        "s3cret\n",
        "s3cret" * 11,
        "s3cret\x00",
        "s3cret\u202e2",
        "=?a?q?s3cret?=",
        493817,
        None,
    ],
)
def test_another_code_is_refused_without_being_told(code: object) -> None:
    """A code is a secret, so the error holds none of it."""
    error = problem(orders.code, code)
    assert error.startswith("code: ")
    assert "s3cret" not in error


@pytest.mark.parametrize("key", ["", "x" * 256, "two\nlines", "nul\x00", "\ud800", 7, b"x"])
def test_a_key_is_one_clean_line(key: object) -> None:
    """1 to 255 plain characters; none at all is allowed for the key alone."""
    assert problem(orders.idempotency_key, key).startswith("idempotency_key: ")
    assert problem(orders.one_line, key, "by").startswith("by: ")
    assert problem(orders.one_line, None, "by").startswith("by: ")
    assert orders.idempotency_key(None) is None
    assert orders.idempotency_key("x" * 255) == "x" * 255


@pytest.mark.parametrize("lane", [3, -1, "urgent", None, 0.5, []])
def test_there_are_three_lanes(lane: Any) -> None:
    """Their numbers are as good as their names; anything else is refused."""
    assert problem(orders.lane, lane).startswith("lane: ")
    assert [orders.lane(number) for number in range(3)] == list(Lane)


@pytest.mark.parametrize(
    "ttl", [timedelta(0), -SECOND, YEAR + SECOND, timedelta.max, timedelta.min, 300, "5m"]
)
def test_a_validity_is_of_this_year(ttl: object) -> None:
    """More than nothing and at most 366 days."""
    assert problem(orders.ttl, ttl).startswith("ttl: ")
    assert [orders.ttl(value) for value in (None, timedelta(microseconds=1), YEAR)] == [
        None,
        timedelta(microseconds=1),
        YEAR,
    ]


EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


@pytest.mark.parametrize(
    "send_at, field",
    [
        (datetime(2026, 1, 1), "send_at"),  # noqa: DTZ001 - naive on purpose
        (NOW + YEAR + SECOND, "send_at"),
        (datetime.max.replace(tzinfo=WEST), "send_at"),
        (datetime.max.replace(tzinfo=EAST), "send_at"),
        ("2026-01-01", "send_at"),
        (1767225600, "send_at"),
        (NOW + timedelta(hours=1), "ttl"),
        (NOW + timedelta(hours=2), "ttl"),
    ],
)
def test_a_time_of_sending_is_aware_near_and_within_the_validity(send_at: object, field: str) -> None:
    """Naive, far and other times are refused; so is a validity that ends before the mail may leave."""
    assert problem(orders.send_at, send_at, timedelta(hours=1), NOW).startswith(f"{field}: ")


@pytest.mark.parametrize("send_at", [None, NOW, NOW + YEAR, NOW - YEAR])
def test_a_time_of_sending_may_be_past(send_at: datetime | None) -> None:
    """The past means at once; a year ahead is the most."""
    assert orders.send_at(send_at, None, NOW) is send_at


@pytest.mark.parametrize("zone", [EAST, WEST])
def test_a_time_long_past_is_one_that_every_store_can_hold(zone: timezone) -> None:
    """The year 1 has hours that do not exist in UTC: a year ago is long enough."""
    assert orders.send_at(datetime.min.replace(tzinfo=zone), None, NOW) == NOW - YEAR


# --- orders ----------------------------------------------------------------------------------------------------------

ORDER = Order(
    template="welcome",
    recipients=orders.recipients(to=ADA),
    context={"name": "Ada"},
    secrets={"code": "493817"},
)


def digests(order: Order) -> tuple[bytes, bytes | None]:
    """What the idempotency key compares."""
    delivery = order.delivery(DELIVERY, SENDER)
    return delivery.content_digest, delivery.secret_digest


def test_an_order_becomes_a_delivery() -> None:
    """All that was ordered, the id, and a Message-ID in the sender's domain; two digests of 32 octets."""
    full = attrs.evolve(ORDER, idempotency_key="k", ttl=SECOND, send_at=NOW, lane=Lane.URGENT, sender=BOB)
    delivery = full.delivery(DELIVERY, SENDER)
    assert (delivery.delivery_id, delivery.lane, delivery.ttl) == (DELIVERY, Lane.URGENT, SECOND)
    assert (delivery.send_at, delivery.idempotency_key) == (NOW, "k")
    assert (delivery.mail.sender, delivery.mail.template, delivery.mail.recipients) == (
        BOB,
        "welcome",
        full.recipients,
    )
    assert (delivery.mail.context, delivery.mail.secrets) == ({"name": "Ada"}, {"code": "493817"})
    assert delivery.mail.message_id == f"{DELIVERY}@example.org"
    assert [len(digest or b"") for digest in digests(full)] == [32, 32]


def test_an_order_without_a_sender_takes_the_default() -> None:
    """And has no secret digest where it has no secrets."""
    assert ORDER.delivery(DELIVERY, SENDER).mail.sender == SENDER
    assert digests(attrs.evolve(ORDER, secrets=None))[1] is None


@pytest.mark.parametrize(
    "change, public, secret",
    [
        ({"template": "other"}, True, False),
        ({"recipients": orders.recipients(cc=ADA)}, True, False),
        ({"recipients": orders.recipients(to=BOB)}, True, False),
        ({"recipients": orders.recipients(to="Countess <ada@example.org>")}, True, False),
        ({"sender": BOB}, True, False),
        ({"context": {"name": "Bob"}}, True, False),
        ({"context": {"name": ["Ada"]}}, True, False),
        ({"secrets": {"code": "000000"}}, False, True),
        ({"sender": SENDER}, False, False),
        ({"ttl": SECOND, "send_at": NOW, "lane": Lane.BULK, "idempotency_key": "k"}, False, False),
    ],
)
def test_what_makes_another_mail_changes_a_digest(change: dict[str, Any], public: bool, secret: bool) -> None:
    """Template, people, sender and context the public one, secrets the secret one; when and how urgently, neither."""
    before, after = digests(ORDER), digests(attrs.evolve(ORDER, **change))
    assert (before[0] != after[0], before[1] != after[1]) == (public, secret)


@given(contexts)
def test_a_digest_does_not_depend_on_the_order_of_keys(context: dict[str, object]) -> None:
    """The same content is the same mail, however its mapping was built."""
    backwards = dict(reversed(context.items()))
    assert digests(attrs.evolve(ORDER, context=context)) == digests(attrs.evolve(ORDER, context=backwards))


# --- bulk ------------------------------------------------------------------------------------------------------------

LETTER = Letter(
    to="Ada <ada@example.org>", context={"n": (1, 2)}, secrets={"code": "s3cret"}, idempotency_key="k/1"
)


def test_a_letter_gets_what_all_have_in_common() -> None:
    """People, context, secrets and key are its own; template, sender, times and lane are the order's."""
    common = Order(template="news", sender=BOB, ttl=SECOND, send_at=NOW, lane=Lane.BULK)
    order = orders.addressed(common, LETTER)
    assert order.recipients == orders.recipients(to=ADA)
    assert (order.context, order.secrets, order.idempotency_key) == ({"n": [1, 2]}, {"code": "s3cret"}, "k/1")
    assert attrs.evolve(order, recipients=(), context={}, secrets=None, idempotency_key=None) == common
    assert orders.addressed(common, Letter(to=ADA)).secrets is None
    assert "s3cret" not in repr(LETTER)


@pytest.mark.parametrize(
    "change, field",
    [
        ({"to": "ada"}, "to"),
        ({"to": ()}, "to"),
        ({"cc": ["ada@example.org"]}, "cc"),
        ({"bcc": "x"}, "bcc"),
        ({"reply_to": "x"}, "reply_to"),
        ({"context": {"a": float("nan")}}, "context"),
        ({"secrets": {1: "a"}}, "secrets"),
        ({"idempotency_key": "two\nlines"}, "idempotency_key"),
    ],
)
def test_every_part_of_a_letter_is_checked(change: dict[str, Any], field: str) -> None:
    """The error names the part, as for a single order."""
    error = problem(orders.addressed, Order(template="news"), attrs.evolve(LETTER, **change))
    assert error.startswith(f"{field}: ")
