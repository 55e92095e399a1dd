"""Memory and PostgreSQL are one store to whoever uses them, and a store without its fence is found out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.adapters.memory.rows import Row
from galaxy_mail.domain.leases import Held
from galaxy_mail.domain.notices import Notice
from tests.adapters.memory.harness import MemoryHarness
from tests.adapters.postgres.harness import PostgresHarness
from tests.stateful.machine import Opening, machine_for

pytestmark = pytest.mark.timeout(600)  # as many runs as the profile asks for, on a machine that may be busy

FENCE = "d.claim_token = token"  # in settle.sql

# To find out a sabotaged store: always the same runs, and no effort to make the finding small.
HUNT = settings(
    max_examples=300,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)


class Unfenced(MemoryStore):
    """Settles, renews and releases by status alone, as most outboxes do."""

    def _holding(self, held: Held) -> Row | None:
        row = self.rows.get(held.delivery_id)
        return row if row is not None and row.token is not None else None


class Insistent(MemoryStore):
    """Hands out notices that somebody else is telling."""

    async def take_notices(self, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        """Without the hold."""
        return await super().take_notices(limit, timedelta(0))


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """A private event loop: Hypothesis is not asynchronous."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def postgres(runner: asyncio.Runner, postgres_dsn: str, schema_name: str) -> Iterator[PostgresHarness]:
    """One schema for all runs of the machine; each begins with empty tables."""
    harness = runner.run(PostgresHarness.open(postgres_dsn, schema_name, reset=_leave_as_it_is))
    yield harness
    runner.run(harness.aclose())


async def _leave_as_it_is(_: object) -> None:
    """No round trip when a connection goes back to the pool."""


def on_memory(kind: type[MemoryStore] = MemoryStore) -> Opening:
    """Open a memory store of this kind."""

    async def opening() -> MemoryHarness:
        return MemoryHarness(kind)

    return opening


def on_postgres(harness: PostgresHarness) -> Opening:
    """Empty the tables."""

    async def opening() -> PostgresHarness:
        await harness.empty()
        return harness

    return opening


def test_memory_agrees_with_itself(runner: asyncio.Runner) -> None:
    """The machine finds no difference where there is none: its views leave out all that may differ."""
    run_state_machine_as_test(machine_for(on_memory(), runner), settings=settings(stateful_step_count=30))


def test_postgres_agrees_with_memory(runner: asyncio.Runner, postgres: PostgresHarness) -> None:
    """Whatever is done by whatever claim, PostgreSQL answers as the reference does and holds the same."""
    fewer = settings(max_examples=settings().max_examples // 2, stateful_step_count=30)
    run_state_machine_as_test(machine_for(on_postgres(postgres), runner), settings=fewer)


@pytest.mark.parametrize("sabotaged", [Unfenced, Insistent])
def test_a_sabotaged_memory_store_is_found_out(runner: asyncio.Runner, sabotaged: type[MemoryStore]) -> None:
    """The machine is awake: each of these stores differs from the reference in one line."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine_for(on_memory(sabotaged), runner), settings=HUNT)


def test_the_missing_fence_of_postgres_is_found_out(
    runner: asyncio.Runner, postgres: PostgresHarness
) -> None:
    """Without the token in its WHERE clause settle.sql is a zombie's tool, and the machine shows it."""
    statements = postgres.store._sql._texts
    assert statements["settle"].count(FENCE) == 1
    statements["settle"] = statements["settle"].replace(FENCE, "d.claim_token is not null")
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine_for(on_postgres(postgres), runner), settings=HUNT)
