"""What run-workers.md tells an operator to type does what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.testing.contracts.orders import ACCEPTED, claim_one, new_delivery, settle
from tests.adapters.postgres.harness import PostgresHarness
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs/howto/run-workers.md"


@pytest.fixture
async def postgres(postgres_dsn: str, schema_name: str) -> AsyncIterator[PostgresHarness]:
    """An outbox on a real server."""
    postgres = await PostgresHarness.open(postgres_dsn, schema_name)
    yield postgres
    await postgres.aclose()


async def test_counting_anew_mends_what_a_hand_has_broken(postgres: PostgresHarness) -> None:
    """Two mails are sent and one is deleted by hand: still two are counted, and one once the page's statements have run."""
    store = postgres.store
    for _ in range(2):
        await store.enqueue(new_delivery())
        await settle(store, await claim_one(store), ACCEPTED)
    table = f"{postgres.schema}.mail_deliveries"
    await postgres.pool.execute(
        f"delete from {table} where delivery_id = (select delivery_id from {table} limit 1)"
    )
    assert (await store.stats())[DeliveryStatus.SENT] == 2
    (script,) = (block.text for block in blocks(PAGE) if "lock table" in block.text)
    await postgres.pool.execute(script.replace("galaxy_mail.", f"{postgres.schema}."))
    assert (await store.stats())[DeliveryStatus.SENT] == 1
