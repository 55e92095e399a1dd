"""What cannot be put within the wire contract is refused by the name of its field, and nothing of it is repeated."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress, Mailbox
from galaxy_mail.domain.errors import InvalidMessage
from galaxy_mail.domain.mime import Message, compose
from galaxy_mail.domain.wire import wire_contract_problem
from tests.domain.mime_reader import by_hand
from tests.domain.mime_strategies import ADA, CONTROLS, PLAIN, any_text

SECRET = "493817"


def altered(**changes: Any) -> Message:
    """The plain message with other values in some of its fields."""
    return attrs.evolve(PLAIN, **changes)


def planted(place: str, text: str) -> Message:
    """A message with ``text`` in one place: a field, or the name or address of one of its people."""
    field, _, part = place.partition(".")
    if not part:
        return altered(**{field: text})
    box = attrs.evolve(ADA, name=text)
    if part != "name":
        address = EmailAddress(text, "example.org") if part == "local" else EmailAddress("ada", text)
        box = Mailbox(address, "Ada")
    return altered(**{field: box if field == "sender" else (ADA, box)})


WHO = ("sender", "reply_to", "to", "cc")
PEOPLE = [f"{who}.{part}" for who in WHO for part in ("name", "local", "domain")]
PLACES = ["subject", "message_id", *PEOPLE]


@pytest.mark.parametrize("place", PLACES)
def test_a_control_character_in_a_header_is_refused(place: str) -> None:
    """CR, LF, NUL, C0, C1, line separators and surrogates: an error that names the field and repeats nothing."""
    for control, tail in product(CONTROLS, ["", "x", "ü", " Bcc: eve@example.org"]):
        with pytest.raises(InvalidMessage) as caught:
            compose(planted(place, f"{SECRET}{control}{tail}"))
        assert caught.value.field == place.partition(".")[0]
        assert SECRET not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("field", [f"{who}.{part}" for who in WHO for part in ("local", "domain")])
@pytest.mark.parametrize("special", [*' ",;:<>()[]\\@', "\u3000", "\xa0"])
def test_an_address_that_would_be_read_as_something_else_is_refused(field: str, special: str) -> None:
    """An ``EmailAddress`` that was not parsed gets no further than here."""
    with pytest.raises(InvalidMessage) as caught:
        compose(planted(field, f"a{special}b"))
    assert caught.value.field == field.partition(".")[0]


@pytest.mark.parametrize("field", ["text", "html"])
@pytest.mark.parametrize("character", [*"\0\ud800"])
def test_a_body_refuses_only_what_no_reader_could_get(field: str, character: str) -> None:
    """NUL and lone surrogates: an error that names the body, and carries its text nowhere."""
    with pytest.raises(InvalidMessage) as caught:
        compose(altered(**{field: f"{SECRET}{character}"}))
    assert caught.value.field == field
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_message_id_is_checked_before_a_boundary_is_made_of_it() -> None:
    """With a lone surrogate in it, the boundary of a mail with HTML could not even be computed."""
    with pytest.raises(InvalidMessage, match=r"^message_id: ") as caught:
        compose(altered(message_id=f"{SECRET}\ud800@example.org", html="<p>Hello</p>"))
    assert caught.value.__context__ is None


@given(st.sampled_from([*PLACES, "text", "html"]), any_text)
def test_any_text_at_all_is_composed_within_the_contract_or_refused(place: str, text: str) -> None:
    """``compose`` raises ``InvalidMessage`` and nothing else, and what it returns has passed the gate."""
    message = planted(place, text)
    harmless = planted(place, "1@a" if place == "message_id" else "a")
    with suppress(InvalidMessage):
        raw = compose(message)
        assert wire_contract_problem(raw, smtputf8=message.needs_smtputf8) is None
        assert by_hand(raw).names == by_hand(compose(harmless)).names
        return
    with pytest.raises(InvalidMessage, match=f"^{place.partition('.')[0]}: "):
        compose(message)


@pytest.mark.parametrize(
    "date",
    [
        datetime(2026, 5, 4),  # noqa: DTZ001 - a naive instant is the point
        datetime(1899, 12, 31, tzinfo=UTC),
        datetime.fromisoformat("0001-01-01T00:00:00+14:00"),
        datetime.fromisoformat("9999-12-31T23:59:59-12:00"),
    ],
)
def test_a_date_that_no_header_can_show_is_refused(date: datetime) -> None:
    """Naive, before 1900, or out of the calendar in UTC."""
    with pytest.raises(InvalidMessage, match=r"^date: "):
        compose(altered(date=date))


def test_a_header_bomb_is_refused() -> None:
    """A header block over 64 KiB never leaves, whichever fields add up to it."""
    crowd = tuple(Mailbox(EmailAddress(f"{number}", "example.org"), "ü" * 20) for number in range(1000))
    with pytest.raises(InvalidMessage, match="header block of more than 64 KiB"):
        compose(altered(to=crowd))
    assert len(compose(altered(to=crowd[:500]))) < 64 * 1024
