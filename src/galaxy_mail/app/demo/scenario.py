"""The mails of the demo, ordered as a backend orders them, and how each is meant to end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import attrs

from galaxy_mail.app.opening import OpenMail
from galaxy_mail.domain.delivery import DeliveryStatus

TEMPLATES = Path(__file__).with_name("templates")
SENDER = "Galaxy Demo <no-reply@galaxy.example>"
ADMIN = "admin@galaxy.example"

BUSY = "patience@example.org"
UNKNOWN = "nobody@example.org"
GHOST = "ghost@example.org"
ONCE = {BUSY: "450 4.2.0 busy, come back in a moment"}
ALWAYS = {UNKNOWN: "550 5.1.1 no such mailbox here"}

RESET = """
drop schema if exists galaxy_mail cascade;
drop schema if exists demo_shop cascade;
create schema demo_shop;
create table demo_shop.customers (name text primary key);
"""


@attrs.frozen
class Ordered:
    """One order whose transaction was committed, and what should become of it."""

    title: str
    delivery_id: UUID
    ends: DeliveryStatus = DeliveryStatus.SENT
    attempts: int = 1


class _ChangeOfMind(Exception):
    """What rolls a transaction back."""


async def order_all(mail: OpenMail) -> list[Ordered]:
    """Order every mail of the demo; one order is rolled back and so is not among them."""
    await _order_and_roll_back(mail)
    return [
        await _login_code(mail),
        await _welcome_in_transaction(mail),
        await _receipt_asked_for_twice(mail),
        await _reminder(mail, "reminder to a busy server", BUSY, attempts=2),
        await _reminder(mail, "reminder to nobody", UNKNOWN, ends=DeliveryStatus.DEAD_LETTERED),
    ]


async def _login_code(mail: OpenMail) -> Ordered:
    ttl = timedelta(minutes=5)
    return Ordered(
        "login code", await mail.service.enqueue_login_code("ada@example.org", code="493817", ttl=ttl)
    )


async def _welcome_in_transaction(mail: OpenMail) -> Ordered:
    async with mail.pool.acquire() as connection, connection.transaction():
        await connection.execute("insert into demo_shop.customers values ('Zoë')")
        delivery_id = await mail.service.enqueue_template(
            "welcome",
            to="Zoë Grün <zoe@example.org>",
            cc=["team@example.org"],
            bcc=["archive@example.org"],
            reply_to="Hilfe <help@galaxy.example>",
            context={"name": "Zoë"},
            within=connection,
        )
    return Ordered("welcome, with a new customer", delivery_id)


async def _order_and_roll_back(mail: OpenMail) -> None:
    try:
        async with mail.pool.acquire() as connection, connection.transaction():
            await connection.execute("insert into demo_shop.customers values ('Ghost')")
            await mail.service.enqueue_template(
                "welcome", to=GHOST, context={"name": "Ghost"}, within=connection
            )
            raise _ChangeOfMind
    except _ChangeOfMind:
        pass


async def _receipt_asked_for_twice(mail: OpenMail) -> Ordered:
    for _ in range(2):  # a producer that is not sure whether its first try went through
        delivery_id = await mail.service.enqueue_template(
            "receipt",
            to="ada@example.org",
            context={"number": 42, "total": "19,90 €"},
            idempotency_key="receipt/42",
        )
    return Ordered("receipt, ordered twice with one key", delivery_id)


async def _reminder(
    mail: OpenMail, title: str, to: str, *, ends: DeliveryStatus = DeliveryStatus.SENT, attempts: int = 1
) -> Ordered:
    delivery_id = await mail.service.enqueue_template("reminder", to=to, context={"what": "tea with Ada"})
    return Ordered(title, delivery_id, ends, attempts)
