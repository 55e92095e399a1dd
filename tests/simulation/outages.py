"""What workers tell each other of outages, over the line of one of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from galaxy_mail.domain.notices import OutageNotice
from galaxy_mail.domain.outages import Outage
from galaxy_mail.domain.verdicts import Verdict
from galaxy_mail.domain.worker_ports import Outages

T = TypeVar("T")


class Line(Protocol):
    """How something is asked of a database: see ``StoreLine``."""

    async def ask(self, doing: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Send it, have it done there, and wait for the answer."""
        ...


class OutagesLine:
    """The port ``Outages`` of the database, over a line."""

    def __init__(self, outages: Outages, line: Line) -> None:
        self._outages = outages
        self._line = line

    async def open(self) -> tuple[Outage, ...]:
        """See ``Outages.open``."""
        return await self._line.ask("ask for outages", self._outages.open)

    async def begin(self, scope: str, cause: Verdict, probe_in: timedelta) -> Outage:
        """See ``Outages.begin``."""
        return await self._line.ask("begin an outage", lambda: self._outages.begin(scope, cause, probe_in))

    async def take_probe(self, outage: Outage, hold: timedelta) -> bool:
        """See ``Outages.take_probe``."""
        return await self._line.ask("take a probe", lambda: self._outages.take_probe(outage, hold))

    async def prolong(self, outage: Outage, probe_in: timedelta) -> Outage | None:
        """See ``Outages.prolong``."""
        return await self._line.ask("prolong an outage", lambda: self._outages.prolong(outage, probe_in))

    async def hasten(self, outage: Outage, hold: timedelta) -> Outage | None:
        """See ``Outages.hasten``."""
        return await self._line.ask("hasten a probe", lambda: self._outages.hasten(outage, hold))

    async def end(self, outage: Outage) -> None:
        """See ``Outages.end``."""
        await self._line.ask("end an outage", lambda: self._outages.end(outage))

    async def take_notice(self, hold: timedelta) -> OutageNotice | None:
        """See ``Outages.take_notice``."""
        return await self._line.ask("take an outage's notice", lambda: self._outages.take_notice(hold))

    async def mark_told(self, notice: OutageNotice) -> None:
        """See ``Outages.mark_told``."""
        await self._line.ask("mark an outage told", lambda: self._outages.mark_told(notice))
