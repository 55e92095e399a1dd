"""What operate.md tells an operator is so, and what it tells to type does what it says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from galaxy_mail.app import RuntimeConfig
from galaxy_mail.domain import diagnosis
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.diagnosis import Check
from galaxy_mail.domain.invariants import LATE_COMMIT, OVERDUE_TAKEOVER, Invariant
from galaxy_mail.testing.contracts.orders import ACCEPTED, claim_one, new_delivery, settle
from tests.adapters.postgres.harness import PostgresHarness
from tests.docs.pages import ROOT, blocks, rows

PAGE = ROOT / "docs/howto/operate.md"


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


def test_every_look_of_the_doctor_is_explained() -> None:
    """In the order in which it tells them, with its own thresholds."""
    told = {check: f"{doubtful} {bad}" for check, doubtful, bad in rows(PAGE, "What the doctor looks at")}
    assert list(told) == list(Check)
    for check, *thresholds in (
        (Check.CLOCK, diagnosis.CLOCK_DOUBTFUL, diagnosis.CLOCK_BAD),
        (Check.DUE, diagnosis.DUE_DOUBTFUL, diagnosis.DUE_BAD),
        (Check.NOTICES, diagnosis.UNTOLD_DOUBTFUL, diagnosis.UNTOLD_BAD),
        (Check.TRANSACTIONS, diagnosis.TRANSACTION_DOUBTFUL, diagnosis.TRANSACTION_BAD),
        (Check.RELAY, diagnosis.CERTIFICATE_DOUBTFUL, diagnosis.CERTIFICATE_BAD),
    ):
        spans = re.findall(r"\d+ (?:s|min|h|d)\b", told[check].replace("days", "d"))
        assert spans == [diagnosis.about(each) for each in thresholds], check
    assert f"{diagnosis.DEAD_ROWS:,} dead rows" in told[Check.TABLES]
    assert (diagnosis.DEAD_DOUBTFUL, diagnosis.DEAD_BAD) == (1 / 2, 5)


def test_every_invariant_is_explained() -> None:
    """Each once: what may have happened, and what to do."""
    named = [
        name for names, *_ in rows(PAGE, "What the audit asks") for name in re.findall(r"`(\w+)`", names)
    ]
    assert sorted(named) == sorted(Invariant)
    assert f"for {diagnosis.about(OVERDUE_TAKEOVER)[:2]} minutes no worker" in PAGE.read_text()
    assert timedelta(minutes=1) == LATE_COMMIT
    assert "more than a minute, which dates" in PAGE.read_text()


def test_what_a_command_takes_is_so() -> None:
    """The numbers of its bounds."""
    text = PAGE.read_text()
    assert f"at most {RuntimeConfig().shape_most:,} deliveries" in text
    assert f"at most {diagnosis.about(RuntimeConfig().look_timeout)} |" in text


def test_the_page_names_dead_letters_by_their_reasons() -> None:
    """No reason that there is none of."""
    told = re.findall(r"^\| `dead_lettered`.*?reason `(\w+)`", PAGE.read_text(), re.MULTILINE)
    assert told
    assert set(told) <= set(DeadLetterReason)
