"""Behind pgbouncer in transaction mode: the store keeps its laws, and a worker finds its mail by looking."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.testing.contracts.operations import OperationsContract
from galaxy_mail.testing.contracts.outbox import OutboxContract
from galaxy_mail.testing.contracts.queue import QueueContract
from galaxy_mail.testing.smtp_rules import Moment
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer
from tests.adapters.postgres.harness import PostgresHarness
from tests.real_servers.daemon import running
from tests.real_servers.pgbouncer import pgbouncer, through

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="session")
def pooled_dsn(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the test session's PostgreSQL, by way of a pooler."""
    with running(pgbouncer(postgres_dsn), tmp_path_factory.mktemp("pgbouncer")) as daemon:
        daemon.until(daemon.listens)
        yield through(daemon.port, postgres_dsn)


class BehindPgbouncer:
    """Takes the place of a contract's abstract harness."""

    @pytest.fixture
    async def harness(self, pooled_dsn: str, schema_name: str) -> AsyncIterator[PostgresHarness]:
        """A store in a fresh schema, behind the pooler."""
        harness = await PostgresHarness.open(pooled_dsn, schema_name, statement_cache_size=0)
        yield harness
        await harness.aclose()


class TestPooledOutbox(BehindPgbouncer, OutboxContract):
    """The Postgres store as an Outbox."""


class TestPooledQueue(BehindPgbouncer, QueueContract):
    """The Postgres store as a Queue."""


class TestPooledOperations(BehindPgbouncer, OperationsContract):
    """The Postgres store as Operations."""


async def test_workers_drain_all_by_looking(
    pooled_dsn: str, schema_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Two workers say that they poll, and send what is there and what comes while they idle: each mail once."""
    caplog.set_level(logging.INFO)
    async with ScriptedSmtpServer() as relay:
        settings = MailSettings(
            dsn=pooled_dsn,
            schema=schema_name,
            statement_cache=False,
            smtp_url=f"smtp://{relay.host}:{relay.port}",
            sender="no-reply@example.org",
            poll_interval=timedelta(milliseconds=50),
            batch_size=10,
        )
        async with open_mail(settings) as mail:
            await mail.migrate()

            async def enqueue(i: int) -> None:
                await mail.service.enqueue_login_code(
                    f"u{i}@example.org", code=str(i), ttl=timedelta(hours=1)
                )

            for i in range(200):
                await enqueue(i)
            await asyncio.gather(mail.worker().run_until_empty(), mail.worker().run_until_empty())
            assert len(relay.copies) == 200
            worker = asyncio.create_task(mail.worker().run())
            async with asyncio.timeout(30):
                for i in range(200, 210):
                    await enqueue(i)
                    await relay.wait_for(Moment.DOT, i + 1)
            worker.cancel()
            await asyncio.wait((worker,))
            stats = await mail.service.stats()
    assert (stats[DeliveryStatus.SENT], sum(stats.values())) == (210, 210)
    assert Counter(Counter(copy.message_id for copy in relay.copies).values()) == {1: 210}
    assert caplog.text.count("new mail is found by polling") == 3
    assert "announced by the database" not in caplog.text
