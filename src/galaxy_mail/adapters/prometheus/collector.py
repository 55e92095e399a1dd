"""The gauge ``mail_outbox_depth{state}``, read from the store when Prometheus asks (extra ``prometheus``).

.. code-block:: python

    collector = OutboxDepthCollector(mail.service.stats)    # inside the event loop
    registry.register(collector)                            # the host's own registry

A scrape on another thread (``prometheus_client.start_http_server``, a WSGI handler) waits for the loop to answer. A scrape
on the loop's own thread cannot wait for the loop, so an async handler asks first: ``await collector.refresh()``, then
``generate_latest(registry)``.

If the store cannot answer, the gauge has no samples in that scrape and the reason is logged: the host's other metrics are
not harmed, and no stale number pretends to be live. Alert on ``absent(mail_outbox_depth)``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import ConfigurationError, GalaxyMailError, MissingExtra

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

NAME = "mail_outbox_depth"

Depths = Mapping[DeliveryStatus, int]
Stats = Callable[[], Awaitable[Depths]]


class OutboxDepthCollector:
    """A collector for ``registry.register``. Registering it asks the store nothing.

    Args:
        stats: asks for the number of deliveries by status; ``service.stats`` is one.
        loop: the event loop in which ``stats`` works; the running one if not given.
        timeout: seconds that a scrape waits for ``stats``.
        logger: where failures are told; ``galaxy_mail.metrics`` if not given.

    Raises:
        MissingExtra: if prometheus-client is not installed.
        ConfigurationError: if no loop is given and none is running.
    """

    def __init__(
        self,
        stats: Stats,
        loop: asyncio.AbstractEventLoop | None = None,
        timeout: float = 5.0,
        logger: logging.Logger | None = None,
    ) -> None:
        _gauge()
        loop = loop or _running_loop()
        if loop is None:
            raise ConfigurationError("OutboxDepthCollector: make it inside the event loop, or give loop=")
        self._stats = stats
        self._loop = loop
        self._timeout = timeout
        self._log = logger or logging.getLogger("galaxy_mail.metrics")
        self._refreshed: Depths | None = None

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The gauge without samples, so that a registry knows its name without a scrape."""
        yield _gauge()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauge with one sample for each status, or with none if the store gives no answer."""
        gauge = _gauge()
        for status, count in self._depths().items():
            gauge.add_metric([status.value], count)
        yield gauge

    async def refresh(self) -> None:
        """Ask now, for the one scrape that follows at once on this thread. Never raises for a failing store."""
        self._refreshed = await self._asked()

    def _depths(self) -> Depths:
        if _running_loop() is not self._loop:
            return self._ask_from_another_thread()
        depths, self._refreshed = self._refreshed, None  # good once: no old number passes for a new one
        if depths is None:
            self._log.warning("%s: scraped on the event loop's thread without refresh(); no samples", NAME)
        return depths or {}

    def _ask_from_another_thread(self) -> Depths:
        if not self._loop.is_running():
            self._log.warning("%s: the event loop does not run; no samples", NAME)
            return {}
        answer = asyncio.run_coroutine_threadsafe(self._asked(), self._loop)
        try:
            return answer.result(self._timeout)
        except (TimeoutError, CancelledError):  # the loop is blocked, or ends
            self._log.warning("%s: the event loop does not answer; no samples", NAME)
            return {}

    async def _asked(self) -> Depths:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._stats()
        except GalaxyMailError as error:
            self._log.warning("%s: %s; no samples", NAME, error)
        except Exception as error:  # noqa: BLE001 - the host's other metrics must not fail with ours
            self._log.warning("%s: %s; no samples", NAME, type(error).__name__)
        return {}


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _gauge() -> GaugeMetricFamily:
    try:
        from prometheus_client.core import GaugeMetricFamily
    except ImportError:
        raise MissingExtra("metrics need prometheus-client: pip install 'galaxy-mail[prometheus]'") from None
    return GaugeMetricFamily(
        NAME, "Deliveries in the outbox by state, at the time of the scrape.", labels=["state"]
    )
