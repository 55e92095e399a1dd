"""What is taken in is stored by PostgreSQL as well, and comes back as it was ordered: it refuses nothing that we did not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.domain.errors import CallerError
from galaxy_mail.domain.leases import ClaimRequest
from galaxy_mail.domain.mail import Mail
from tests.bad_input.hostile import CLASSES
from tests.bad_input.test_service import ADA, MINUTES, NOW

TEXTS = [text for name in CLASSES for text in CLASSES[name]]
CODE = {"code": "1", "minutes": 1, "expires_in": "a minute"}

Place = Callable[[str], dict[str, Any]]
PLACES: dict[str, Place] = {
    "context": lambda text: {"context": {**CODE, text: [text]}},
    "secrets": lambda text: {"context": CODE, "secrets": {text: {text: text}}},
    "code": lambda text: {"context": CODE, "secrets": {"code": text}},
    "to": lambda text: {"context": CODE, "to": text},
    "name": lambda text: {"context": CODE, "to": f'"{text}" <ada@example.org>'},
    "sender": lambda text: {"context": CODE, "sender": f"{text} <eve@example.org>"},
    "key": lambda text: {"context": CODE, "idempotency_key": f"{text}"},
}
NUMBERS: list[Any] = [10**4_000, -1e308, 5e-324, 2**64, -0.0, "\U0010ffff", "\x01", "\\u0000", [[]], {}]
EDGES: list[dict[str, Any]] = [
    *[{"ttl": ttl} for ttl in (timedelta(microseconds=1), timedelta(days=366))],
    *[
        {"send_at": instant.replace(tzinfo=timezone(timedelta(hours=hours)))}
        for instant in (NOW.min, NOW.replace(year=1), NOW.replace(year=1900))
        for hours in (-14, 0, 14)
    ],
    *[{"context": {**CODE, "x": it}} for it in NUMBERS],
    {"bcc": [f"u{n}@example.org" for n in range(999)]},
]


async def test_what_is_taken_is_stored_and_read_back(postgres_dsn: str, schema_name: str) -> None:
    """By the real database, the same texts, times and numbers; in one transaction, which a refusal of its would spoil."""
    settings = MailSettings(
        dsn=postgres_dsn, schema=schema_name, smtp_url="smtp://127.0.0.1:1", sender="no-reply@example.org"
    )
    orders = [make(text) for make in PLACES.values() for text in TEXTS] + EDGES
    taken: dict[str, dict[str, Any]] = {}
    async with open_mail(settings) as mail:
        await mail.migrate()
        try:
            async with mail.service.transaction() as tx:
                for order in orders:
                    given: dict[str, Any] = {"to": ADA, "context": CODE, "within": tx} | order
                    try:
                        taken[str(await mail.service.enqueue_template("login_code", **given))] = order
                    except CallerError:
                        continue
            await check_read_back(mail.container.store(), taken)
        finally:
            await mail.pool.execute(f"drop schema {schema_name} cascade")


async def check_read_back(store: Any, taken: dict[str, dict[str, Any]]) -> None:
    """Every mail can be claimed, and says what was ordered."""
    request = ClaimRequest("worker", 1_000, MINUTES, 5)
    found = 0
    while claims := await store.claim(request):
        for claim in claims:
            order = taken[str(claim.held.delivery_id)]
            assert isinstance(claim.mail, Mail)
            assert claim.mail.context == order.get("context", CODE)
            assert claim.mail.secrets == (order.get("secrets") or None)
            found += 1
    assert found == len(taken)
    assert found > 500
