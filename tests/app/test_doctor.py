"""The doctor makes every look, whatever becomes of the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from galaxy_mail.adapters.clock.manual import ManualClock
from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.app import RuntimeConfig
from galaxy_mail.app.doctor import Doctor
from galaxy_mail.domain.diagnosis import Check, Level
from galaxy_mail.domain.errors import SchemaOutdated, StoreUnavailable
from galaxy_mail.domain.health import OpenTransaction, RelayReport, TableHealth, Transactions, Untold
from galaxy_mail.domain.outages import RELAY
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, Stage

LONG = timedelta(days=3)
READY = RelayReport("smtp.example.org:587", tls="TLSv1.3")
HASTY = RuntimeConfig(look_timeout=timedelta(milliseconds=10))


@attrs.define
class Database:
    """Diagnostics that say what they are told to say, or raise it."""

    clock: ManualClock
    ahead: timedelta = timedelta(0)
    outdated: bool = False
    broken: Exception | None = None
    silent: bool = False
    wait: timedelta | None = None
    ends: Untold = attrs.field(factory=Untold)
    dead: int = 0
    oldest: OpenTransaction | None = None

    async def check_schema(self) -> None:
        """Outdated, if so."""
        await self._answer()
        if self.outdated:
            raise SchemaOutdated("step 7 is not applied: run galaxy-mail migrate")

    async def now(self) -> datetime:
        """The clock's, and some ahead."""
        await self._answer()
        return self.clock.now() + self.ahead

    async def oldest_due(self) -> timedelta | None:
        """As told."""
        await self._answer()
        return self.wait

    async def untold(self) -> Untold:
        """As told."""
        await self._answer()
        return self.ends

    async def tables(self) -> tuple[TableHealth, ...]:
        """One."""
        await self._answer()
        return (TableHealth("mail_deliveries", 1, self.dead),)

    async def transactions(self) -> Transactions:
        """As told."""
        await self._answer()
        return Transactions(self.oldest)

    async def _answer(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if self.broken:
            raise self.broken


@attrs.define
class Relay:
    """A probe that reports what it is told to report, or raises it."""

    report: RelayReport = READY
    broken: Exception | None = None

    async def look(self) -> RelayReport:
        """As told."""
        if self.broken:
            raise self.broken
        return self.report


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock()


def levels(findings: object) -> dict[Check, Level]:
    """The level of each finding."""
    assert isinstance(findings, tuple)
    return {finding.check: finding.level for finding in findings}


def doctor(
    clock: ManualClock,
    database: Database,
    relay: Relay | None = None,
    config: RuntimeConfig | None = None,
    queue: MemoryStore | None = None,
) -> Doctor:
    """A doctor for these."""
    return Doctor(
        diagnostics=database,
        queue=queue or MemoryStore(clock),
        relay=relay or Relay(),
        clock=clock,
        config=config or RuntimeConfig(),
    )


async def test_a_healthy_house_is_well(clock: ManualClock) -> None:
    """A finding for each check, in their order, and nothing to do."""
    findings = await doctor(clock, Database(clock)).examine()
    assert [finding.check for finding in findings] == list(Check)
    assert {finding.level for finding in findings} == {Level.OK}
    assert {finding.remedy for finding in findings} == {""}


async def test_each_trouble_is_found_at_its_place(clock: ManualClock) -> None:
    """Every fact reaches the judgement that is made for it."""
    database = Database(
        clock, LONG, True, None, False, LONG, Untold(1, LONG), 10**9, OpenTransaction(LONG, "psql", 7)
    )
    relay = Relay(
        RelayReport("smtp.example.org:25", tls="TLSv1.3", certificate_ends=datetime(2000, 1, 1, tzinfo=UTC))
    )
    queue = MemoryStore(clock)
    await queue.outages().begin(RELAY, classify(Stage.CONNECT, Fault.TIMEOUT), LONG)
    found = levels(await doctor(clock, database, relay, None, queue).examine())
    assert found == dict.fromkeys(Check, Level.BAD) | {Check.WAKING: Level.OK}


async def test_a_look_that_fails_is_a_finding(clock: ManualClock) -> None:
    """Without the database the relay is looked at all the same, and the other way round."""
    away = StoreUnavailable("connect", None, "ConnectionRefusedError")
    findings = await doctor(clock, Database(clock, broken=away)).examine()
    well = {Check.RELAY, Check.OUTAGES}
    assert {check for check, level in levels(findings).items() if level is Level.OK} == well
    assert all(str(away) in finding.seen for finding in findings if finding.check not in well)
    findings = await doctor(clock, Database(clock), Relay(broken=away)).examine()
    assert {check for check, level in levels(findings).items() if level is not Level.OK} == {Check.RELAY}


async def test_a_bug_is_told_by_its_class_alone(clock: ManualClock) -> None:
    """Its text may hold a secret."""
    findings = await doctor(clock, Database(clock), Relay(broken=KeyError("hunter2"))).examine()
    assert "KeyError" in repr(findings)
    assert "hunter2" not in repr(findings)


async def test_a_look_does_not_last_for_ever(clock: ManualClock) -> None:
    """Whoever is silent has the same time as all others."""
    database = Database(clock, silent=True)
    findings = await doctor(clock, database, None, HASTY).examine()
    assert {finding.check for finding in findings if finding.level is Level.BAD} == set(Check) - {
        Check.RELAY,
        Check.OUTAGES,
    }
    assert "no answer in 10 ms" in repr(findings)
