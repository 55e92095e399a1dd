"""What a producer may order, what is refused, and that nothing refused is written."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.adapters.memory.senders import RecordingSmtpSender, ScriptedSmtpSender
from galaxy_mail.domain.addresses import EmailAddress, Mailbox, RecipientKind
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.errors import (
    CallerError,
    IdempotencyConflict,
    InvalidInput,
    ResendRefused,
    UnknownDelivery,
    UnusableTransaction,
)
from galaxy_mail.domain.leases import ClaimRequest
from galaxy_mail.domain.mail import Lane, Mail
from galaxy_mail.domain.orders import Letter
from galaxy_mail.domain.verdicts import Fault, Stage
from tests.app.conftest import House

MINUTES = timedelta(minutes=5)
ADA = "ada@example.org"


async def claimed_mail(house: House) -> Mail:
    """The one mail that is due, as a worker would get it."""
    (claim,) = await house.store.claim(ClaimRequest("worker", 10, MINUTES, 5))
    assert isinstance(claim.mail, Mail)
    return claim.mail


async def test_an_order_is_stored_as_it_was_given(house: House) -> None:
    """People, context and sender come back from the store as ordered; the Message-ID is made from the id."""
    delivery_id = await house.service.enqueue_template(
        "welcome",
        to=["Ada <ada@example.org>", Mailbox(EmailAddress.parse("grace@example.org"))],
        cc="team@example.org",
        bcc=("audit@bücher.example",),
        reply_to="help@example.org",
        context={"name": "Ada", "numbers": (1, 2.5, None)},
        sender="Sales <sales@example.org>",
    )
    mail = await claimed_mail(house)
    assert [(r.kind, str(r.mailbox)) for r in mail.recipients] == [
        (RecipientKind.TO, '"Ada" <ada@example.org>'),
        (RecipientKind.TO, "grace@example.org"),
        (RecipientKind.CC, "team@example.org"),
        (RecipientKind.BCC, "audit@xn--bcher-kva.example"),
        (RecipientKind.REPLY_TO, "help@example.org"),
    ]
    assert mail.context == {"name": "Ada", "numbers": [1, 2.5, None]}
    assert str(mail.sender) == '"Sales" <sales@example.org>'
    assert mail.message_id == f"{delivery_id}@example.org"


async def test_a_login_code_is_urgent_expires_and_keeps_its_code_secret(house: House) -> None:
    """It goes by the urgent lane, carries its validity, and its code is in the secrets and in no repr."""
    await house.service.enqueue_login_code(ADA, code="493817", ttl=MINUTES)
    (claim,) = await house.store.claim(ClaimRequest("worker", 10, MINUTES, 5))
    assert isinstance(claim.mail, Mail)
    assert claim.expires_in == MINUTES
    assert claim.mail.secrets == {"code": "493817"}
    assert claim.mail.context == {"minutes": 5, "expires_in": "5 minutes"}
    assert "493817" not in repr(claim)
    assert (await house.service.search())[0].lane is Lane.URGENT


@pytest.mark.parametrize(
    "ttl, minutes, words",
    [
        (timedelta(seconds=1), 1, "1 minute"),
        (timedelta(seconds=61), 2, "2 minutes"),
        (timedelta(hours=1), 60, "60 minutes"),
    ],
)
async def test_a_codes_validity_is_told_in_whole_minutes(
    house: House, ttl: timedelta, minutes: int, words: str
) -> None:
    """Rounded up, since a reader would rather have it a little too long than see 0 minutes."""
    await house.service.enqueue_login_code(ADA, code="1", ttl=ttl)
    mail = await claimed_mail(house)
    assert mail.context == {"minutes": minutes, "expires_in": words}


async def test_a_mail_shares_the_fate_of_the_transaction(house: House) -> None:
    """Rolled back, nothing happened; committed, it is there; both producers take ``within``."""

    async def order_both(*, then: Exception | None = None) -> None:
        async with house.service.transaction() as tx:
            await house.service.enqueue_template("welcome", to=ADA, context={"name": "Ada"}, within=tx)
            await house.service.enqueue_login_code(ADA, code="1", ttl=MINUTES, within=tx)
            assert not any((await house.service.stats()).values())
            if then is not None:
                raise then

    with pytest.raises(ZeroDivisionError):
        await order_both(then=ZeroDivisionError())
    assert not any((await house.service.stats()).values())
    await order_both()
    assert (await house.service.stats())[DeliveryStatus.PENDING] == 2


async def test_the_same_key_is_one_mail_whenever_it_is_asked_for(house: House) -> None:
    """Timing and lane are no content: a retry with another ttl is the same mail; other people or context are a conflict."""

    def order(**changes: Any) -> Awaitable[UUID]:
        given: dict[str, Any] = {
            "to": ADA,
            "context": {"name": "Ada"},
            "idempotency_key": "welcome/42",
        } | changes
        return house.service.enqueue_template("welcome", **given)

    first = await order()
    assert await order(ttl=MINUTES, lane=Lane.BULK) == first
    for change in (
        {"to": "eve@example.org"},
        {"context": {"name": "Eve"}},
        {"cc": "eve@example.org"},
        {"secrets": {"a": 1}},
    ):
        with pytest.raises(IdempotencyConflict) as conflict:
            await order(**change)
        assert conflict.value.first == first
    assert (await house.service.stats())[DeliveryStatus.PENDING] == 1


async def test_another_code_under_the_same_key_is_a_conflict(house: House) -> None:
    """The secret part is content too, and the conflict does not show it."""
    await house.service.enqueue_login_code(ADA, code="493817", ttl=MINUTES, idempotency_key="k")
    with pytest.raises(IdempotencyConflict) as conflict:
        await house.service.enqueue_login_code(ADA, code="111111", ttl=MINUTES, idempotency_key="k")
    assert "493817" not in str(conflict.value)
    assert "111111" not in str(conflict.value)


Call = Callable[[House], Awaitable[object]]


def template(**changes: Any) -> Call:
    """An order of a template that is good but for ``changes``."""
    given: dict[str, Any] = {"to": ADA, "context": {"name": "Ada"}} | changes
    name = given.pop("template", "welcome")
    return lambda house: house.service.enqueue_template(name, **given)


def login_code(**changes: Any) -> Call:
    """An order of a login code that is good but for ``changes``."""
    given: dict[str, Any] = {"to": ADA, "code": "493817", "ttl": MINUTES} | changes
    to = given.pop("to")
    return lambda house: house.service.enqueue_login_code(to, **given)


def nested(levels: int) -> dict[str, Any]:
    """A context with so many levels."""
    return {"name": nested(levels - 1)} if levels > 1 else {"name": "x"}


NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)

BAD_CONTEXTS: list[Any] = [
    *([], "name", {"name": math.nan}, {"name": math.inf}, {"name": "\x00"}, {"name": "\ud800"}),
    *({"name": object()}, {1: 2}, {"name": nested(40)}, {"name": "x" * 2_000_000}),
]

REFUSED: list[tuple[str, Call]] = [
    *[
        ("to", template(to=to))
        for to in ((), "", "nobody", "a@b.org, c@d.org", "a@b.org\r\nBcc: x@y.org", b"a@b.org", 7)
    ],
    *[
        ("to", template(to=to))
        for to in (None, [None], "undisclosed:;", "a@b", "<a@b.org>", "a@[127.0.0.1]", '"a b"@b.org')
    ],
    ("to", template(to=[ADA, "ADA <ada@EXAMPLE.org>"])),
    ("cc", template(cc=ADA)),
    ("bcc", template(bcc=[f"u{i}@example.org" for i in range(2)] * 2)),
    ("to", template(to=[f"u{i}@example.org" for i in range(1001)])),
    ("reply_to", template(reply_to="Ada \u202e <ada@example.org>")),
    ("sender", template(sender="nobody")),
    ("template", template(template="../welcome")),
    ("template", template(template="no-such-template")),
    ("template", template(template="")),
    *[("context", template(context=context)) for context in BAD_CONTEXTS],
    ("welcome", template(context={})),
    ("welcome", template(context={"name": "a\r\nBcc: x@y.org"})),
    ("secrets", template(secrets={"code": {1}})),
    *[("idempotency_key", template(idempotency_key=key)) for key in ("", "x" * 256, "a\nb", 7)],
    *[("ttl", template(ttl=ttl)) for ttl in (timedelta(0), timedelta(seconds=-1), timedelta(days=400), 60)],
    *[
        ("send_at", template(send_at=at))
        for at in (NAIVE, NOW + timedelta(days=400), datetime.max.replace(tzinfo=UTC), 0)
    ],
    ("ttl", template(ttl=MINUTES, send_at=NOW + timedelta(hours=1))),
    ("lane", template(lane=7)),
    *[("on_uncertain", template(on_uncertain=wish)) for wish in ("", "HOLD", "drop", None, True, ["hold"])],
    ("on_uncertain", login_code(on_uncertain="never")),
    *[("code", login_code(code=code)) for code in ("", " ", " 1", "1\n2", "\x00", "x" * 65, 493817, None)],
    *[("ttl", login_code(ttl=ttl)) for ttl in (None, timedelta(0), 300)],
    ("to", login_code(to=["a@b.org", "a@b.org"])),
]


@pytest.mark.parametrize("field, call", REFUSED, ids=[f"{field}-{i}" for i, (field, _) in enumerate(REFUSED)])
async def test_a_bad_order_is_a_typed_error_and_writes_nothing(house: House, field: str, call: Call) -> None:
    """The error names the field, repeats no secret, and comes before anything is written."""
    with pytest.raises(InvalidInput) as refused:
        await call(house)
    assert field in f"{refused.value.field} {refused.value}"
    assert "493817" not in str(refused.value)
    assert not house.store.rows


ANY_TEXT = st.text(st.characters(), max_size=80)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(ANY_TEXT, children, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=ANY_TEXT, to=ANY_TEXT | st.just(ADA), key=st.none() | ANY_TEXT, extra=ANYTHING)
async def test_any_order_is_stored_whole_or_refused_with_a_typed_error(
    house: House, name: str, to: str, key: str | None, extra: object
) -> None:
    """Whatever is passed: a CallerError and no row, or exactly one row."""
    store = MemoryStore(house.clock)
    house.container.store.override(store)
    house.container.service.reset()
    try:
        await house.service.enqueue_template(
            "welcome", to=to, context={"name": name, "extra": extra}, idempotency_key=key
        )
    except CallerError:
        assert not store.rows
    else:
        assert len(store.rows) == 1


@pytest.mark.parametrize("within", [object(), 7, "tx"])
async def test_a_foreign_transaction_is_refused(house: House, within: Any) -> None:
    """What is not the store's own open transaction cannot carry a mail."""
    with pytest.raises(UnusableTransaction):
        await house.service.enqueue_template("welcome", to=ADA, context={"name": "Ada"}, within=within)
    assert not house.store.rows


async def test_send_at_delays_the_first_attempt(house: House) -> None:
    """It is not due before; at that time it is."""
    await house.service.enqueue_template(
        "note", to=ADA, context={"text": "x"}, send_at=NOW + timedelta(hours=1)
    )
    request = ClaimRequest("worker", 10, MINUTES, 5)
    house.clock.advance(timedelta(minutes=59))
    assert not await house.store.claim(request)
    house.clock.advance(timedelta(minutes=1))
    assert len(await house.store.claim(request)) == 1


async def test_a_copy_is_a_new_delivery_of_the_same_mail(house: House) -> None:
    """A new id and Message-ID, everything else the same; a mail whose secrets are wiped cannot be copied."""
    first = await house.service.enqueue_template("welcome", to=ADA, context={"name": "Ada"})
    code = await house.service.enqueue_login_code(ADA, code="1", ttl=MINUTES)
    await house.worker().run_until_empty()
    with pytest.raises(ResendRefused):
        await house.service.copy(code)
    second = await house.service.copy(first)
    mail = await claimed_mail(house)
    assert second != first
    assert (mail.message_id, mail.template, mail.context) == (
        f"{second}@example.org",
        "welcome",
        {"name": "Ada"},
    )


async def test_what_is_uncertain_is_held_as_ordered(house: House) -> None:
    """In each kind of order: one attempt, a dead letter, a notice that says what to do, and an operator can resend it."""
    letters = [Letter(to=ADA, context={"name": "Ada"})]
    held = [
        await house.service.enqueue_template("welcome", to=ADA, context={"name": "Ada"}, on_uncertain="hold"),
        await house.service.enqueue_login_code(ADA, code="493817", ttl=MINUTES, on_uncertain="hold"),
        *await house.service.enqueue_bulk("welcome", letters, on_uncertain="hold"),
    ]
    silent = ScriptedSmtpSender(lambda *_: (Stage.DOT, Fault.TIMEOUT))
    await house.worker(silent).run_until_empty()
    for delivery_id in held:
        record = await house.service.show(delivery_id)
        assert record.summary.reason is DeadLetterReason.UNCERTAIN
        assert len(record.attempts) == 1
    assert len(house.notifier.notices) == 3
    assert all("may have it" in notice.advice for notice in house.notifier.notices)
    await house.service.resend(held[0], by="grace")
    with pytest.raises(ResendRefused, match="wiped"):
        await house.service.resend(held[1], by="grace")
    await house.worker(RecordingSmtpSender()).run_until_empty()
    assert (await house.service.show(held[0])).summary.status is DeliveryStatus.SENT


async def test_a_copy_of_what_is_to_be_held_is_to_be_held(house: House) -> None:
    """It is the same mail, and two copies of it do the same harm."""
    first = await house.service.enqueue_template(
        "welcome", to=ADA, context={"name": "Ada"}, on_uncertain="hold"
    )
    second = await house.service.copy(first)
    assert (await house.service.show(second)).hold_uncertain


async def test_how_it_is_to_be_sent_is_no_part_of_what_is_sent(house: House) -> None:
    """The same key and content is the same mail, whatever the second order wishes; the wish of the first one stands."""
    order: dict[str, Any] = {"to": ADA, "context": {"name": "Ada"}, "idempotency_key": "k"}
    first = await house.service.enqueue_template("welcome", **order, on_uncertain="hold")
    second = await house.service.enqueue_template("welcome", **order, on_uncertain="retry")
    assert first == second
    assert (await house.service.show(first)).hold_uncertain


async def test_what_is_unknown_is_said_to_be(house: House) -> None:
    """Show, resend and copy of an id that does not exist raise UnknownDelivery; resend of what is alive is refused."""
    nobody = UUID(int=7)
    for call in (
        house.service.show(nobody),
        house.service.resend(nobody, by="ops"),
        house.service.copy(nobody),
    ):
        with pytest.raises(UnknownDelivery):
            await call
    alive = await house.service.enqueue_template("welcome", to=ADA, context={"name": "Ada"})
    with pytest.raises(ResendRefused):
        await house.service.resend(alive, by="ops")
    with pytest.raises(InvalidInput):
        await house.service.resend(alive, by="")


@pytest.mark.parametrize(
    "limit, recipient, field", [(0, None, "limit"), (1001, None, "limit"), (5, "x", "recipient")]
)
async def test_a_search_is_bounded(house: House, limit: int, recipient: str | None, field: str) -> None:
    """A limit out of range and an address that is none are refused."""
    with pytest.raises(InvalidInput) as refused:
        await house.service.search(limit=limit, recipient=recipient)
    assert refused.value.field == field


def test_the_runtime_configuration_is_shown(house: House) -> None:
    """``service.config`` paces the scan loop and bounds the retries."""
    assert house.service.config == house.container.settings().runtime
    assert house.service.config.retry.max_attempts == 12


async def test_a_purge_goes_on_until_nothing_is_old_enough(house: House) -> None:
    """However many batches it takes; what ended later stays, and a negative age is refused."""
    for _ in range(5):
        await house.service.enqueue_template("note", to=ADA, context={"text": "x"})
    await house.worker().run_until_empty()
    house.clock.advance(timedelta(days=30))
    late = await house.service.enqueue_template("note", to=ADA, context={"text": "x"})
    await house.worker().run_until_empty()
    house.service.config = attrs.evolve(house.service.config, purge_batch=2)
    assert await house.service.purge(timedelta(days=29)) == 5
    assert [summary.delivery_id for summary in await house.service.search()] == [late]
    with pytest.raises(InvalidInput):
        await house.service.purge(timedelta(days=-1))
    with pytest.raises(InvalidInput):
        await house.service.purge(timedelta(days=3_000_000))


async def test_a_bulk_order_is_stored_whole_in_the_bulk_lane(house: House) -> None:
    """An id for each letter in their order; people, context and key are the letter's own."""
    letters = [
        Letter(to=f"u{i}@example.org", context={"text": str(i)}, idempotency_key=f"k{i}") for i in range(5)
    ]
    ids = await house.service.enqueue_bulk("note", letters)
    claims = await house.store.claim(ClaimRequest("worker", 10, MINUTES, 5))
    mails = {claim.held.delivery_id: claim.mail for claim in claims}
    for i, delivery_id in enumerate(ids):
        mail = mails[delivery_id]
        assert isinstance(mail, Mail)
        assert (str(mail.recipients[0].address), mail.context) == (f"u{i}@example.org", {"text": str(i)})
    assert {summary.lane for summary in await house.service.search()} == {Lane.BULK}
    assert await house.service.enqueue_bulk("note", letters) == ids


async def test_one_bad_letter_refuses_the_bulk(house: House) -> None:
    """The error names the field, and nothing is written."""
    with pytest.raises(InvalidInput) as refused:
        await house.service.enqueue_bulk("note", [Letter(to=ADA, context={"text": "x"}), Letter(to="nobody")])
    assert refused.value.field == "to"
    assert not house.store.rows


async def test_a_copy_expires_with_the_first(house: House) -> None:
    """Of a code that is still alive, a copy is as urgent and valid for the rest of the time; past it there is none."""
    first = await house.service.enqueue_login_code(ADA, code="1", ttl=MINUTES)
    house.clock.advance(timedelta(minutes=2))
    second = await house.service.copy(first)
    summary = (await house.service.show(second)).summary
    assert not (await house.service.show(second)).hold_uncertain
    assert (summary.lane, summary.expires_at) == (Lane.URGENT, NOW + MINUTES)
    house.clock.advance(MINUTES)
    with pytest.raises(ResendRefused):
        await house.service.copy(first)
