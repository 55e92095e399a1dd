from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from galaxy_mail.adapters.prometheus.collector import OutboxDepthCollector
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import ConfigurationError, MissingExtra, StoreUnavailable

COUNTS = {
    DeliveryStatus.PENDING: 3,
    DeliveryStatus.RETRYING: 2,
    DeliveryStatus.SENT: 1_000_000,
    DeliveryStatus.DEAD_LETTERED: 0,
}


class Stats:
    """A store to count in: it answers with ``counts``, or does what ``trouble`` says."""

    def __init__(self) -> None:
        self.asked = 0
        self.counts: Mapping[DeliveryStatus, int] = COUNTS
        self.trouble: BaseException | None = None

    async def __call__(self) -> Mapping[DeliveryStatus, int]:
        """Answer, one turn of the loop later."""
        self.asked += 1
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        return self.counts


def depths(exposition: bytes) -> dict[str, float]:
    """What a Prometheus server would store of the gauge, by state; the family itself must be there."""
    families = {family.name: family for family in text_string_to_metric_families(exposition.decode())}
    family = families["mail_outbox_depth"]
    assert family.type == "gauge"
    return {sample.labels["state"]: sample.value for sample in family.samples}


async def scrape(registry: CollectorRegistry) -> dict[str, float]:
    """A scrape on a thread of its own, as of a WSGI handler."""
    return depths(await asyncio.to_thread(generate_latest, registry))


@pytest.fixture
def stats() -> Stats:
    """A store that answers."""
    return Stats()


@pytest.fixture
async def collector(stats: Stats) -> OutboxDepthCollector:
    """A collector in the test's loop."""
    return OutboxDepthCollector(stats)


@pytest.fixture
async def registry(collector: OutboxDepthCollector) -> AsyncIterator[CollectorRegistry]:
    """A host's registry that holds the collector."""
    registry = CollectorRegistry()
    registry.register(collector)
    yield registry
    registry.unregister(collector)


@given(counts=st.fixed_dictionaries({status: st.integers(0, 2**53) for status in DeliveryStatus}))
async def test_a_scrape_shows_what_the_store_counts(counts: dict[DeliveryStatus, int]) -> None:
    """One sample for each status, labelled with it, with the store's number."""
    stats, registry = Stats(), CollectorRegistry()
    stats.counts = counts
    registry.register(OutboxDepthCollector(stats))
    assert await scrape(registry) == {status.value: count for status, count in counts.items()}


async def test_it_is_served_over_http(registry: CollectorRegistry, stats: Stats) -> None:
    """A real Prometheus endpoint on its own thread shows the numbers of the moment, scrape by scrape."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        for pending in (3, 4):
            stats.counts = {**COUNTS, DeliveryStatus.PENDING: pending}
            body = await asyncio.to_thread(_fetch, f"http://127.0.0.1:{server.server_port}/metrics")
            assert depths(body)["pending"] == pending
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()


def _fetch(url: str) -> bytes:
    with urlopen(url) as response:
        return bytes(response.read())


async def test_registering_asks_the_store_nothing(registry: CollectorRegistry, stats: Stats) -> None:
    """A host can register before the store works; the registry knows the name all the same."""
    assert stats.asked == 0
    with pytest.raises(ValueError, match="mail_outbox_depth"):
        registry.register(OutboxDepthCollector(stats))


# --- a scrape on the loop's own thread --------------------------------------------------------------------------------


async def test_an_async_handler_refreshes_first(
    collector: OutboxDepthCollector, registry: CollectorRegistry
) -> None:
    """After ``refresh`` the scrape that follows on the loop's thread has the numbers."""
    await collector.refresh()
    assert depths(generate_latest(registry)) == {status.value: count for status, count in COUNTS.items()}


async def test_a_refresh_is_good_for_one_scrape(
    collector: OutboxDepthCollector, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a new refresh there are no numbers, rather than old ones; the log says what was forgotten."""
    await collector.refresh()
    generate_latest(registry)
    assert depths(generate_latest(registry)) == {}
    assert "without refresh()" in caplog.text


# --- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble, told",
    [
        (StoreUnavailable("stats", "57P01"), "the store failed in stats (sqlstate 57P01)"),
        (ValueError("a row with a secret"), "ValueError"),
    ],
)
async def test_a_failing_store_harms_no_other_metric(
    registry: CollectorRegistry, stats: Stats, caplog: pytest.LogCaptureFixture, trouble: Exception, told: str
) -> None:
    """The scrape succeeds without samples of ours; the log says why, and no foreign text; then it works again."""
    stats.trouble = trouble
    assert await scrape(registry) == {}
    assert [record.getMessage() for record in caplog.records] == [f"mail_outbox_depth: {told}; no samples"]
    stats.trouble = None
    assert (await scrape(registry))["pending"] == 3


async def test_a_failing_store_harms_no_async_handler(
    collector: OutboxDepthCollector,
    registry: CollectorRegistry,
    stats: Stats,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """``refresh`` does not raise; the scrape after it has no samples and complains of nothing else."""
    stats.trouble = StoreUnavailable("stats")
    await collector.refresh()
    assert depths(generate_latest(registry)) == {}
    assert len(caplog.records) == 1


async def test_a_store_that_hangs_is_waited_for_no_longer_than_the_timeout(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A scrape comes back without samples, an async handler goes on, and what asked the store is cancelled."""
    cancelled = asyncio.Event()

    async def hang() -> Mapping[DeliveryStatus, int]:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return COUNTS

    registry, collector = CollectorRegistry(), OutboxDepthCollector(hang, timeout=0.01)
    registry.register(collector)
    assert await scrape(registry) == {}
    await cancelled.wait()
    await collector.refresh()
    assert depths(generate_latest(registry)) == {}
    assert "no samples" in caplog.text


async def test_a_loop_that_is_blocked_is_waited_for_no_longer_than_the_timeout(
    stats: Stats, caplog: pytest.LogCaptureFixture
) -> None:
    """While the loop itself is stuck, a scrape on another thread comes back all the same."""
    registry = CollectorRegistry()
    registry.register(OutboxDepthCollector(stats, timeout=0.01))
    seen: list[dict[str, float]] = []
    scraper = threading.Thread(target=lambda: seen.append(depths(generate_latest(registry))))
    scraper.start()
    scraper.join()  # blocks the loop until the scraper has given up
    assert seen == [{}]
    assert "does not answer" in caplog.text


def test_a_loop_that_has_ended_is_not_waited_for(stats: Stats, caplog: pytest.LogCaptureFixture) -> None:
    """After the host's loop is closed, a scrape has no samples and nothing is left unawaited."""
    registry = CollectorRegistry()
    with asyncio.Runner() as runner:
        registry.register(OutboxDepthCollector(stats, loop=runner.get_loop()))
    assert depths(generate_latest(registry)) == {}
    assert stats.asked == 0
    assert "does not run" in caplog.text


async def test_a_loop_that_ends_under_a_scrape_ends_it(
    registry: CollectorRegistry, stats: Stats, caplog: pytest.LogCaptureFixture
) -> None:
    """A host that shuts down cancels what asks the store; the scrape comes back without samples."""
    stats.trouble = asyncio.CancelledError()
    assert await scrape(registry) == {}
    assert "does not answer" in caplog.text


async def test_it_tells_the_logger_it_is_given(stats: Stats, caplog: pytest.LogCaptureFixture) -> None:
    """A host decides where failures are told."""
    registry = CollectorRegistry()
    registry.register(OutboxDepthCollector(stats, logger=logging.getLogger("host")))
    generate_latest(registry)
    assert [record.name for record in caplog.records] == ["host"]


def test_without_a_loop_it_says_what_to_do(stats: Stats) -> None:
    """Made outside of any loop it cannot know where the store works."""
    with pytest.raises(ConfigurationError, match="loop="):
        OutboxDepthCollector(stats)


async def test_without_prometheus_client_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, stats: Stats
) -> None:
    """The module can be imported without the extra; using it says what to install."""
    for module in [name for name in sys.modules if name.partition(".")[0] == "prometheus_client"]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "galaxy_mail.adapters.prometheus.collector")
    fresh = importlib.import_module("galaxy_mail.adapters.prometheus.collector")
    with pytest.raises(MissingExtra, match=r"galaxy-mail\[prometheus\]"):
        fresh.OutboxDepthCollector(stats)
