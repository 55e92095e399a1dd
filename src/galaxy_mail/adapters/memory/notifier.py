"""An AdminNotifier that tests can ask, and that can fail on purpose."""

from __future__ import annotations

import asyncio

from galaxy_mail.domain.notices import AnyNotice, Notice, OutageNotice


class RecordingAdminNotifier:
    """Keeps what it was told of deliveries in ``notices``, of outages in ``outages``, and every call in ``calls``, also
    those that failed or hang.

    A test waits for events: ``await notifier.wait_for(1)``. To see what happens when the way to the administrator is
    broken, call :meth:`fail_with` or :meth:`hang`, and :meth:`recover` to mend it.
    """

    def __init__(self) -> None:
        self.calls: list[AnyNotice] = []
        self.notices: list[Notice] = []
        self.outages: list[OutageNotice] = []
        self._failure: Exception | None = None
        self._answering = asyncio.Event()
        self._answering.set()
        self._happened = asyncio.Event()

    def __repr__(self) -> str:
        return f"<RecordingAdminNotifier told {len(self.notices)} of {len(self.calls)} calls>"

    async def notify(self, notice: AnyNotice) -> None:
        """Keep the notice, or do what :meth:`fail_with` or :meth:`hang` said."""
        self.calls.append(notice)
        self._signal()
        await self._answering.wait()
        if self._failure:
            raise self._failure
        if isinstance(notice, OutageNotice):
            self.outages.append(notice)
        else:
            self.notices.append(notice)
        self._signal()

    async def wait_for(self, count: int) -> None:
        """Return as soon as ``count`` deliveries were told of."""
        while len(self.notices) < count:
            await self._happened.wait()

    async def wait_for_outages(self, count: int) -> None:
        """Return as soon as beginnings and ends of outages, ``count`` in all, were told of."""
        while len(self.outages) < count:
            await self._happened.wait()

    async def wait_for_calls(self, count: int) -> None:
        """Return as soon as it was called ``count`` times, whatever became of the calls."""
        while len(self.calls) < count:
            await self._happened.wait()

    def fail_with(self, failure: Exception) -> None:
        """Let every call raise ``failure``."""
        self._failure = failure

    def hang(self) -> None:
        """Let every call wait until :meth:`recover`."""
        self._answering.clear()

    def recover(self) -> None:
        """Work again; calls that hang are answered now."""
        self._failure = None
        self._answering.set()

    def _signal(self) -> None:
        self._happened.set()
        self._happened = asyncio.Event()
