"""The administrator is told beside delivery, at least once, whatever the notifier does."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import attrs
import pytest

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.herald import Herald
from galaxy_mail.domain.delivery import DeadLetterReason
from galaxy_mail.domain.notices import AnyNotice, OutageNotice
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, Stage
from galaxy_mail.testing.contracts import orders
from tests.app.conftest import House

QUICK = attrs.evolve(RuntimeConfig(), notice_timeout=timedelta(milliseconds=20))


def herald(house: House) -> Herald:
    """A herald that loses patience with its notifier after 20 ms."""
    return Herald(
        queue=house.store,
        notifier=house.notifier,
        clock=house.clock,
        config=QUICK,
        logger=house.container.logger(),
    )


async def bury(house: House, number: int) -> None:
    """Let ``number`` mails be refused."""
    for _ in range(number):
        await house.store.enqueue(orders.new_delivery())
    for claim in await orders.claim(house.store, number):
        await orders.settle(house.store, claim, orders.NO_SUCH_USER)


async def test_every_dead_letter_is_told_once(house: House) -> None:
    """All of them, and not again."""
    await bury(house, 3)
    await herald(house).tell_all()
    await herald(house).tell_all()
    assert [notice.reason for notice in house.notifier.notices] == [DeadLetterReason.REFUSED] * 3


@pytest.mark.parametrize("trouble", ["raises", "hangs"])
async def test_what_a_broken_notifier_was_not_told_is_told_later(house: House, trouble: str) -> None:
    """A notifier that raises or hangs loses nothing and stops nothing; once it works it is told."""
    if trouble == "hangs":
        house.notifier.hang()
    else:
        house.notifier.fail_with(RuntimeError("the pager is on fire"))
    await bury(house, 2)
    await herald(house).tell_all()
    assert (len(house.notifier.calls), house.notifier.notices) == (2, [])
    house.notifier.recover()
    house.notifier.notices.clear()
    house.clock.advance(QUICK.notice_timeout * 2)
    await herald(house).tell_all()
    assert len(house.notifier.notices) == 2


async def test_two_heralds_share_the_notices(house: House) -> None:
    """What one tells, the other does not see meanwhile."""
    await bury(house, 5)
    await asyncio.gather(*(herald(house).tell_all() for _ in range(3)))
    assert len(house.notifier.notices) == 5


async def test_who_asks_for_all_waits_for_the_one_being_told(house: House) -> None:
    """A worker that ends when the outbox is empty does not cut off what its herald has begun to tell."""
    house.notifier.hang()
    await bury(house, 1)
    ours = Herald(
        queue=house.store,
        notifier=house.notifier,
        clock=house.clock,
        config=RuntimeConfig(),
        logger=house.container.logger(),
    )
    running = asyncio.create_task(ours.run())
    await house.notifier.wait_for_calls(1)
    ending = asyncio.create_task(ours.tell_all())
    house.notifier.recover()
    await ending
    assert len(house.notifier.notices) == 1
    running.cancel()


async def test_who_fails_again_and_again_is_asked_less_often(house: House) -> None:
    """A notifier may go through the relay that is left alone: a thousand dead letters are not a thousand failed logins a minute."""
    house.notifier.fail_with(RuntimeError("the pager is on fire"))
    await bury(house, 100)
    running = asyncio.create_task(herald(house).run())
    for _ in range(1200):
        await house.clock.wait_for_sleepers(1)
        house.clock.advance(1)
    assert 5 < len(house.notifier.calls) < 20
    house.notifier.recover()
    for _ in range(330):
        await house.clock.wait_for_sleepers(1)
        house.clock.advance(1)
    assert len(house.notifier.notices) == 100
    running.cancel()


class DeafToOutages:
    """A notifier that hangs where it is told of an outage, and hears all the rest."""

    def __init__(self) -> None:
        self.told = 0

    async def notify(self, notice: AnyNotice) -> None:
        """See ``AdminNotifier.notify``."""
        if isinstance(notice, OutageNotice):
            await asyncio.Event().wait()
        self.told += 1


async def test_outages_that_cannot_be_told_keep_no_delivery_back(house: House) -> None:
    """However many there are, and however long each of them takes."""
    notifier, outages = DeafToOutages(), house.store.outages()
    for i in range(5):
        await outages.begin(f"sender{i}@example.org", classify(Stage.CONNECT, Fault.TIMEOUT), timedelta(0))
    await bury(house, 1)
    config = attrs.evolve(QUICK, notice_timeout=timedelta(microseconds=1))
    ours = Herald(
        queue=house.store,
        notifier=notifier,
        clock=house.clock,
        config=config,
        logger=house.container.logger(),
    )
    running = asyncio.create_task(ours.run())
    for _ in range(500):
        await asyncio.sleep(0)
        house.clock.advance(timedelta(microseconds=1))
    assert notifier.told == 1
    running.cancel()
