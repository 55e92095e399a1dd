"""The mission, end to end: producers in their transactions, workers, a relay, and what the tables say afterwards."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import asyncpg
import pytest

from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.errors import (
    IdempotencyConflict,
    SchemaOutdated,
    StoreUnavailable,
    UnusableTransaction,
)
from galaxy_mail.testing.smtp_rules import Moment, greylist, reply
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer

MakeSettings = Callable[..., MailSettings]
MINUTES = timedelta(minutes=5)


async def test_the_mission(
    make_settings: MakeSettings, server: ScriptedSmtpServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Login code and template, in and outside of transactions, greylisted, refused: every mail is accounted for."""
    caplog.set_level(logging.DEBUG)
    server.rules += [
        greylist(),
        reply(Moment.RCPT, 550, "5.1.1 nobody 493817 here", recipient="eve@example.org"),
    ]
    async with open_mail(make_settings()) as mail:
        assert await mail.migrate() == ("outbox",)
        assert await mail.migrate() == ()
        code = await mail.service.enqueue_login_code("ada@example.org", code="493817", ttl=MINUTES)
        dead = await mail.service.enqueue_login_code("eve@example.org", code="493817", ttl=MINUTES)
        async with mail.pool.acquire() as conn, conn.transaction():
            welcome = await mail.service.enqueue_template(
                "welcome",
                to="ada@example.org",
                cc=["team@example.org"],
                bcc="audit@example.org",
                context={"name": "Ada"},
                idempotency_key="welcome/42",
                within=conn,
            )
        await mail.worker().run_until_empty()
        stats = await mail.service.stats()
        records = {
            name: await mail.service.show(i)
            for name, i in {"code": code, "dead": dead, "welcome": welcome}.items()
        }
        rows = await mail.pool.fetch(f'select * from "{make_settings().schema}".mail_payloads')
        attempts = await mail.pool.fetch(f'select * from "{make_settings().schema}".mail_attempts')

    assert stats == {
        DeliveryStatus.PENDING: 0,
        DeliveryStatus.RETRYING: 0,
        DeliveryStatus.SENT: 2,
        DeliveryStatus.DEAD_LETTERED: 1,
    }
    assert records["dead"].summary.reason is DeadLetterReason.REFUSED
    assert [len(records[name].attempts) for name in ("code", "dead", "welcome")] == [2, 2, 2]
    assert [copy.message_id for copy in server.copies].count(records["code"].message_id) == 1
    parts = [copy for copy in server.copies if copy.message_id == records["welcome"].message_id]
    people = sorted(person for copy in parts for person in copy.recipients)
    assert people == ["ada@example.org", "audit@example.org", "team@example.org"], "each recipient once"
    assert len({copy.octets for copy in parts}) == 1, "the later part is the same message, octet for octet"
    message = email.message_from_bytes(parts[0].octets, policy=email.policy.default)
    assert message["Subject"] == "Willkommen, Ada ☺"
    assert message["Bcc"] is None
    told = caplog.text + repr(records) + repr(attempts) + repr([dict(row) for row in rows])
    assert "493817" not in told, "a code is in a log, a record or a row"
    assert not server.ledger.breaches


async def test_many_workers_share_one_outbox(make_settings: MakeSettings, server: ScriptedSmtpServer) -> None:
    """Four workers on two containers and 300 mails: each mail arrives once, with one attempt on record."""
    settings = make_settings(batch_size=10, connections=3)
    async with open_mail(settings) as mail, open_mail(settings) as other:
        await mail.migrate()
        for i in range(300):
            await mail.service.enqueue_template("welcome", to=f"u{i}@example.org", context={"name": str(i)})
        workers = [mail.worker(), mail.worker(), other.worker(), other.worker()]
        await asyncio.gather(*(worker.run_until_empty() for worker in workers))
        attempts = await mail.pool.fetchval(f'select count(*) from "{settings.schema}".mail_attempts')
    assert Counter(Counter(copy.message_id for copy in server.copies).values()) == {1: 300}
    assert attempts == 300


async def test_a_rollback_takes_the_mail_with_it(
    make_settings: MakeSettings, server: ScriptedSmtpServer
) -> None:
    """Nothing of it is left in any table, nothing is sent, and its key is free."""
    settings = make_settings()
    async with open_mail(settings) as mail:
        await mail.migrate()

        async def order(
            conn: asyncpg.pool.PoolConnectionProxy[asyncpg.Record], *, then: Exception | None
        ) -> None:
            async with conn.transaction():
                await mail.service.enqueue_template(
                    "welcome", to="a@example.org", context={"name": "A"}, idempotency_key="k", within=conn
                )
                if then is not None:
                    raise then

        async with mail.pool.acquire() as conn:
            with pytest.raises(ZeroDivisionError):
                await order(conn, then=ZeroDivisionError())
            for table in ("mail_deliveries", "mail_payloads", "mail_recipients", "mail_attempts"):
                assert await conn.fetchval(f'select count(*) from "{settings.schema}".{table}') == 0
            await order(conn, then=None)
            with pytest.raises(UnusableTransaction):
                await mail.service.enqueue_template(
                    "welcome", to="a@example.org", context={"name": "A"}, within=conn
                )
        with pytest.raises(UnusableTransaction):
            await mail.service.enqueue_template(
                "welcome", to="a@example.org", context={"name": "A"}, within=conn
            )
        with pytest.raises(IdempotencyConflict):
            await mail.service.enqueue_template(
                "welcome", to="b@example.org", context={"name": "A"}, idempotency_key="k"
            )
        await mail.worker().run_until_empty()
    assert len(server.copies) == 1


async def test_a_database_that_is_not_migrated_says_so(make_settings: MakeSettings) -> None:
    """Before the schema exists every call names the remedy."""
    async with open_mail(make_settings()) as mail:
        for call in (mail.service.stats(), mail.service.enqueue_login_code("a@b.org", code="1", ttl=MINUTES)):
            with pytest.raises(SchemaOutdated, match="galaxy-mail migrate"):
                await call


async def test_a_database_that_is_not_there_is_a_typed_error(make_settings: MakeSettings) -> None:
    """No driver's exception and no password comes out."""
    settings = make_settings(dsn="postgresql://u:hunter2@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable) as refused:
        async with open_mail(settings):
            pass
    assert "hunter2" not in f"{refused.value!r}{refused.value.__cause__!r}{refused.value.__context__!r}"
