"""The doctor: a few independent looks at whatever an outbox lives by. A look that fails is a finding too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.domain import diagnosis
from galaxy_mail.domain.diagnosis import Check, Finding
from galaxy_mail.domain.errors import GalaxyMailError, SchemaOutdated
from galaxy_mail.domain.operator_ports import Diagnostics, RelayProbe
from galaxy_mail.domain.ports import Clock, Queue

Look = Callable[[], Awaitable[Finding]]


class Doctor:
    """Looks at the database through ``diagnostics`` and ``queue``, and at the relay through ``relay``."""

    def __init__(
        self,
        *,
        diagnostics: Diagnostics,
        queue: Queue,
        relay: RelayProbe,
        clock: Clock,
        config: RuntimeConfig,
    ) -> None:
        self._diagnostics = diagnostics
        self._queue = queue
        self._relay = relay
        self._clock = clock
        self._config = config

    async def examine(self) -> tuple[Finding, ...]:
        """A finding for each ``Check``, in their order; all are made at once, and none for longer than ``look_timeout``."""
        looks: dict[Check, Look] = {
            Check.SCHEMA: self._schema,
            Check.CLOCK: self._clocks,
            Check.WAKING: self._waking,
            Check.RELAY: self._relays,
            Check.OUTAGES: self._outages,
            Check.DUE: self._due,
            Check.NOTICES: self._notices,
            Check.TABLES: self._tables,
            Check.TRANSACTIONS: self._transactions,
        }
        return tuple(await asyncio.gather(*(self._made(check, looks[check]) for check in Check)))

    async def _made(self, check: Check, look: Look) -> Finding:
        try:
            async with asyncio.timeout(self._config.look_timeout.total_seconds()):
                return await look()
        except TimeoutError:
            return diagnosis.failed(check, f"no answer in {diagnosis.about(self._config.look_timeout)}")
        except GalaxyMailError as error:
            return diagnosis.failed(check, str(error))
        except Exception as error:  # noqa: BLE001 - one look that breaks must not hide what the others saw
            return diagnosis.failed(check, type(error).__name__)  # its text may hold a secret

    async def _schema(self) -> Finding:
        try:
            await self._diagnostics.check_schema()
        except SchemaOutdated as outdated:
            return diagnosis.judge_schema(str(outdated))
        return diagnosis.judge_schema(None)

    async def _clocks(self) -> Finding:
        asked = self._clock.now()
        theirs = await self._diagnostics.now()
        answered = self._clock.now()
        return diagnosis.judge_clock(theirs - (asked + (answered - asked) / 2))

    async def _waking(self) -> Finding:
        # A bell tells no errors: where this fails, it would say that nobody rings.
        await self._diagnostics.oldest_due()
        bell = self._queue.bell()
        try:
            await bell.arm(timedelta(0))  # listens, and asks nobody to ring
            return diagnosis.judge_waking(bell.rings, self._config.poll_interval)
        finally:
            await bell.aclose()

    async def _relays(self) -> Finding:
        return diagnosis.judge_relay(await self._relay.look(), self._clock.now())

    async def _outages(self) -> Finding:
        return diagnosis.judge_outages(await self._queue.outages().open())

    async def _due(self) -> Finding:
        return diagnosis.judge_due(await self._diagnostics.oldest_due())

    async def _notices(self) -> Finding:
        return diagnosis.judge_notices(await self._diagnostics.untold())

    async def _tables(self) -> Finding:
        return diagnosis.judge_tables(await self._diagnostics.tables())

    async def _transactions(self) -> Finding:
        return diagnosis.judge_transactions(await self._diagnostics.transactions())
