"""The Postgres store keeps every law of the Store port, with prepared statements and without (as behind pgbouncer)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from galaxy_mail.testing.contracts.operations import OperationsContract
from galaxy_mail.testing.contracts.outbox import OutboxContract
from galaxy_mail.testing.contracts.queue import QueueContract
from tests.adapters.postgres.harness import PostgresHarness

MODES = {"default": {}, "no statement cache": {"statement_cache_size": 0}}


class OnPostgres:
    """Takes the place of a contract's abstract harness; every law is tried in both modes of connection."""

    @pytest.fixture(params=MODES)
    async def harness(
        self, request: pytest.FixtureRequest, postgres_dsn: str, schema_name: str
    ) -> AsyncIterator[PostgresHarness]:
        """A store in a fresh schema."""
        harness = await PostgresHarness.open(postgres_dsn, schema_name, **MODES[request.param])
        yield harness
        await harness.aclose()


class TestPostgresOutbox(OnPostgres, OutboxContract):
    """The Postgres store as an Outbox."""


class TestPostgresQueue(OnPostgres, QueueContract):
    """The Postgres store as a Queue."""


class TestPostgresOperations(OnPostgres, OperationsContract):
    """The Postgres store as Operations."""
