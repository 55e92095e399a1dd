"""Whatever is put into whatever field of an order: a typed error before the store is asked, or one sound message."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import idna
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from galaxy_mail.adapters.memory.senders import SentMail
from galaxy_mail.domain.addresses import EmailAddress, Mailbox
from galaxy_mail.domain.errors import CallerError
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.orders import Letter
from tests.app.conftest import House
from tests.bad_input.hostile import CLASSES, texts
from tests.bad_input.oracle import body_of, judging, repeats_nothing, subject_of
from tests.domain.mime_reader import one_newline

ADA = "ada@example.org"
MINUTES = timedelta(minutes=5)
ALL_TEXTS = [text for name in CLASSES for text in texts(name)]
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Order = Callable[[House], Awaitable[object]]


def mail(**changes: Any) -> Order:
    """An order that is good but for ``changes``."""
    given: dict[str, Any] = {"template": "welcome", "to": ADA, "context": {"name": "Ada"}} | changes
    name = given.pop("template")
    return lambda house: house.service.enqueue_template(name, **given)


def code(**changes: Any) -> Order:
    """A login code that is good but for ``changes``."""
    given: dict[str, Any] = {"to": ADA, "code": "493817", "ttl": MINUTES} | changes
    to = given.pop("to")
    return lambda house: house.service.enqueue_login_code(to, **given)


def bulk(**changes: Any) -> Order:
    """A bulk order of one letter that is good but for ``changes``."""
    letter = Letter(**{"to": ADA, "context": {"name": "Ada"}} | changes)
    return lambda house: house.service.enqueue_bulk("welcome", [letter])


def whole(letters: Any) -> Order:
    """A bulk order of these."""
    return lambda house: house.service.enqueue_bulk("welcome", letters)


PLACES: dict[str, Callable[[str], Order]] = {
    "a variable of the subject": lambda text: mail(context={"name": text}),
    "a variable of the body": lambda text: mail(template="note", context={"text": text}),
    "a secret": lambda text: mail(template="note", secrets={"text": text}),
    "the name of a variable": lambda text: mail(context={"name": "Ada", text: 1}),
    "deep in a variable": lambda text: mail(context={"name": "Ada", "x": [{"y": [text]}]}),
    "an address": lambda text: mail(to=text),
    "a local part": lambda text: mail(cc=f"{text}@example.org"),
    "a domain": lambda text: mail(bcc=f"eve@{text}"),
    "a display name": lambda text: mail(cc=f"{text} <eve@example.org>"),
    "a quoted name": lambda text: mail(reply_to=f'"{text}" <eve@example.org>'),
    "the name of a mailbox": lambda text: mail(bcc=Mailbox(EmailAddress("eve", "example.org"), text)),
    "a mailbox past the parser": lambda text: mail(cc=Mailbox(EmailAddress(text, text), text)),
    "the sender": lambda text: mail(sender=text),
    "the sender's name": lambda text: mail(sender=f"{text} <eve@example.org>"),
    "a template's name": lambda text: mail(template=text),
    "an idempotency key": lambda text: mail(idempotency_key=text),
    "a login code": lambda text: code(code=text),
    "who gets a login code": lambda text: code(to=text),
    "the template of a login code": lambda text: code(template=text),
    "an address of a letter": lambda text: bulk(to=text),
    "a variable of a letter": lambda text: bulk(context={"name": text}),
    "the key of a letter": lambda text: bulk(idempotency_key=text),
}
NO_SECRET = {"a template's name", "the template of a login code"}  # what has no template may be named


@pytest.mark.parametrize("place", PLACES)
async def test_hostile_text_is_refused_or_harmless(house: House, place: str) -> None:
    """In every field, of every class: what is refused is not repeated; what is taken is one sound message."""
    with judging(house) as judge:
        for text in ALL_TEXTS:
            told = await judge.order(PLACES[place](text))
            assert not isinstance(told, CallerError) or place in NO_SECRET or repeats_nothing(told)
        await judge.sent()


@pytest.mark.parametrize(
    "order, told",
    [
        (lambda text: mail(context={"name": text}), lambda sent: subject_of(sent).removeprefix("Welcome, ")),
        (lambda text: mail(template="note", context={"text": text}), body_of),
        (lambda text: mail(to=text, context={"name": text}), lambda sent: str(sent.envelope.recipients[0])),
    ],
    ids=["subject", "body", "envelope"],
)
async def test_what_is_taken_arrives_as_it_was_given(
    house: House, order: Callable[[str], Order], told: Callable[[SentMail], str]
) -> None:
    """Subject, body and envelope of a mail that is not refused say what was ordered, to the letter."""
    with judging(house) as judge:
        taken = {text: await judge.order(order(text)) for text in ALL_TEXTS}
        sent = await judge.sent()
    for text, delivery_id in taken.items():
        if not isinstance(delivery_id, CallerError):
            (one,) = sent[f"<{delivery_id}@example.org>"]
            assert told(one) in as_kept(text)


def as_kept(text: str) -> set[str]:
    """The forms of a text that arrive: as it is; as a body; as an address, whose domain is an A-label."""
    local, _, domain = text.rpartition("<")[2].removesuffix(">").rpartition("@")
    with suppress(UnicodeError):
        domain = idna.encode(domain.lower()).decode()
    address = f"{unicodedata.normalize('NFC', local)}@{domain.lower()}"
    return {text, one_newline(text).removesuffix("\n") + "\n", address}


def nested(levels: int) -> Any:
    """A list in a list in a list."""
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


CIRCLE: dict[str, Any] = {"name": "Ada"}
CIRCLE["circle"] = CIRCLE


def each(make: Callable[[Any], Order], *values: Any) -> list[Order]:
    """An order with each of the values."""
    return [make(value) for value in values]


REFUSED: dict[str, list[Order]] = {
    "JSON": [
        *each(lambda it: mail(context={"name": it}), math.nan, math.inf, -math.inf, b"x", {1}, object(), 1j, nested(32)),
        *each(lambda it: mail(secrets={"text": it}), math.nan, nested(100_000), {"a": {1: 2}}, "\ud800", 10**5_000),
        *each(lambda it: mail(context=it), CIRCLE, [], "name", 7, {1: 2}, {"name": "x" * 2**20}, {None: 1}),
        *each(lambda it: code(context=it), CIRCLE, {"a": math.nan}, "x"),
    ],
    "variables": [
        *each(lambda it: mail(context=it), {}, {"nome": "Ada"}, None),
        mail(template="note", context={"text": {}.items}),
    ],
    "times": [
        *each(lambda it: mail(send_at=it), NOW.replace(tzinfo=None), NOW + timedelta(days=367), NOW.max, "tomorrow", 0, math.inf),
        *each(lambda it: mail(send_at=NOW.max.replace(tzinfo=timezone(timedelta(hours=it)))), -14, 0, 14),
        *each(lambda it: mail(ttl=it), timedelta(0), -MINUTES, timedelta.max, timedelta.min, 300, 5.0, "5m"),
        *each(lambda it: code(ttl=it), None, timedelta(0), timedelta.max),
        mail(ttl=MINUTES, send_at=NOW + MINUTES),
    ],
    "recipients": [
        *each(lambda it: mail(to=it), (), None, 7, b"a@b.org", {"a@b.org": 1}, [None], [[ADA]], [ADA, ADA]),
        *each(lambda it: mail(to=it), [f"u{n}@b.org" for n in range(1_001)], f"Ada <{ADA}>, eve@example.org"),
        *[mail(cc=ADA), mail(bcc=[ADA]), mail(to=(), reply_to=ADA)],
        *each(lambda it: mail(to=Mailbox(it, "x")), None, "", EmailAddress("", "")),
        mail(to=[f"{'u' * 60}{n}@{'d' * 60}.{'d' * 60}.{'d' * 50}.org" for n in range(1_000)]),  # a header of 200 KB
    ],
    "the rest": [
        *each(lambda it: mail(lane=it), 7, -1, None, "urgent", math.nan, []),
        *each(lambda it: mail(idempotency_key=it), 7, b"k", []),
        *each(lambda it: mail(on_uncertain=it), None, "", "RETRY", True, [], b"hold"),
        *each(lambda it: mail(template=it), None, 7, b"welcome", ["welcome"], Path("welcome")),
        *each(lambda it: code(code=it), 493817, None, b"1", "x" * 65),
        *each(lambda it: code(template=it), None, b"login_code"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_no_mail_can_be_made_of_is_refused(house: House, name: str) -> None:
    """By a typed error that repeats no value, before the store is asked."""
    with judging(house) as judge:
        for number, order in enumerate(REFUSED[name]):
            told = await judge.order(order)
            assert isinstance(told, CallerError), f"the {number}th was taken"
            assert repeats_nothing(told)


async def test_letters_are_checked_before_any_is_stored(house: House) -> None:
    """One bad letter of many, or something that is none, and the store is not asked."""
    good = Letter(to=ADA, context={"name": "x"})
    with judging(house) as judge:
        for order in each(whole, [good, Letter(to="nobody")], [good, 7], 7, None, [None], [{"to": ADA}]):
            assert isinstance(await judge.order(order), CallerError)


async def test_a_thousand_recipients_are_one_mail(house: House) -> None:
    """Seen in the header, or blind; each named once to the server."""
    people = [f"u{n}@example.org" for n in range(1_000)]
    for whom in ({"to": people}, {"to": (), "bcc": people}):
        with judging(house) as judge:
            await judge.order(mail(**whom))
            (sent,) = (await judge.sent()).values()
        assert [str(address) for one in sent for address in one.envelope.recipients] == people


async def test_good_orders_are_taken(house: House) -> None:
    """So that a refusal above is the hostile text's."""
    with judging(house) as judge:
        for order in (mail(), mail(template="note", context={"text": "x"}), code(), bulk()):
            assert not isinstance(await judge.order(order), CallerError)
        assert len(await judge.sent()) == 4


# --- everything at once -----------------------------------------------------------------------------------------------

HOSTILE = st.sampled_from([text for name in CLASSES for text in CLASSES[name]])
TEXT = st.text(st.characters(exclude_categories=[]), max_size=30)
ANY_TEXT = HOSTILE | TEXT | st.lists(HOSTILE | TEXT, max_size=3).map("".join)
ADDRESS = st.sampled_from([ADA, "Eve <eve@example.org>", "jürgen@bücher.example", f"{'x' * 64}@example.org"])
PERSON = (
    ADDRESS
    | ANY_TEXT
    | st.builds("{} <eve@example.org>".format, ANY_TEXT)
    | st.builds("{}@example.org".format, ANY_TEXT)
)
CROWD = st.integers(1, 60).map(lambda number: [f"u{n}@example.org" for n in range(number)])
PEOPLE = ADDRESS | st.lists(ADDRESS, max_size=3) | st.lists(PERSON, max_size=3) | CROWD | st.none()
VALUE = st.recursive(
    ANY_TEXT
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary(max_size=3)
    | st.datetimes(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(ANY_TEXT, children, max_size=3),
    max_leaves=8,
)
CONTEXT = (
    st.builds(
        lambda name, more: {**more, "name": name}, ANY_TEXT, st.dictionaries(ANY_TEXT, VALUE, max_size=3)
    )
    | VALUE
)
ZONES = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
ORDERS = st.fixed_dictionaries(
    {"to": PEOPLE},
    optional={
        "template": st.sampled_from(["welcome", "note", "login_code"]) | ANY_TEXT,
        "cc": PEOPLE,
        "bcc": PEOPLE,
        "reply_to": PEOPLE,
        "context": CONTEXT,
        "secrets": CONTEXT,
        "idempotency_key": st.none() | ANY_TEXT,
        "ttl": st.none() | st.timedeltas() | st.timedeltas(timedelta(0), timedelta(days=370)),
        "send_at": st.none() | st.datetimes(timezones=st.none() | ZONES),
        "lane": st.sampled_from([*Lane, 0, 7, None]),
        "on_uncertain": st.sampled_from(["retry", "hold", "", None]) | ANY_TEXT,
        "sender": st.none() | PERSON,
    },
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(order=ORDERS)
async def test_any_mixture_is_refused_or_sound(house: House, order: dict[str, Any]) -> None:
    """Hostile text, people, contexts and times in every field at once."""
    with judging(house) as judge:
        told = await judge.order(mail(**order))
        event("refused" if isinstance(told, CallerError) else "taken")
        await judge.sent()
