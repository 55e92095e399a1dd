"""Outages, on adapters in memory: nothing is lost or burned, the relay is left alone, and everybody comes back slowly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from galaxy_mail.adapters.memory.senders import Answer, ScriptedSmtpSender
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.outages import RELAY, BreakerPolicy
from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdicts import Blame, Envelope, Fault, Receipt, SmtpReply, Stage
from tests.app.conftest import House

DOWN = (Stage.CONNECT, Fault.UNREACHABLE)
WRONG_PASSWORD = (Stage.AUTH, SmtpReply(535, "5.7.8 no"))
NOT_YOUR_ADDRESS = (Stage.MAIL, SmtpReply(553, "5.7.1 not your address"))
TOLD_LATE = (Stage.RCPT, SmtpReply(550, "5.1.8 bad sender"))
SPAM = (Stage.RCPT, SmtpReply(554, "5.7.1 your reputation"))
LOOPS = 5  # of a worker, which sleep when nothing is to be done


class Relay(ScriptedSmtpSender):
    """A relay that says the same to everybody, and counts how many mails are with it at once."""

    def __init__(self, says: Answer | None = None) -> None:
        super().__init__(lambda address, _: self.says if address.domain != "fine.example" else None)
        self.says = says
        self.at_once: list[int] = []
        self.inside = 0

    @property
    def asked(self) -> int:
        """How many transactions there were."""
        return self.attempts.total()

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """As the script says, after a few turns of the loop."""
        self.inside += 1
        self.at_once.append(self.inside)
        for _ in range(5):
            await asyncio.sleep(0)
        self.inside -= 1
        return await super().send(envelope, message, gate)


@contextlib.asynccontextmanager
async def working(house: House, relay: Relay, workers: int = 1) -> AsyncIterator[None]:
    """Some workers on this relay, idle for now."""
    tasks = [asyncio.create_task(house.worker(relay).run()) for _ in range(workers)]
    await house.clock.wait_for_sleepers(LOOPS * workers)
    yield
    for task in tasks:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def order(house: House, number: int, domain: str = "example.org", **more: object) -> None:
    """So many notes."""
    for i in range(number):
        context = {"text": "x"}
        await house.service.enqueue_template("note", to=f"u{i}@{domain}", context=context, **more)  # type: ignore[arg-type]


async def live(house: House, seconds: float, workers: int = 1) -> None:
    """Let time pass in small steps, each when all is quiet."""
    for _ in range(int(seconds * 2)):
        await house.clock.wait_for_sleepers(LOOPS * workers)
        for _ in range(50):  # what the last step woke goes to sleep again
            await asyncio.sleep(0)
        house.clock.advance(0.5)
    await house.clock.wait_for_sleepers(LOOPS * workers)


def waiting(house: House) -> int:
    """How many mails wait as if nobody had touched them since."""
    return sum(not row.status.terminal and row.token is None for row in house.store.rows.values())


async def test_a_wrong_password_burns_nothing_and_is_tried_now_and_then(house: House) -> None:
    """An hour of it: nobody is given up, few transactions, and the administrator is told once."""
    relay = Relay(WRONG_PASSWORD)
    await order(house, 200)
    async with working(house, relay, 2):
        await live(house, 3600, 2)
    rows = house.store.rows.values()
    assert {row.status for row in rows} <= {DeliveryStatus.PENDING, DeliveryStatus.RETRYING}
    assert sum(row.attempts for row in rows) == 0
    assert (
        relay.asked < 60 + 20
    )  # what was under way when it began, and a probe every five minutes at the least
    assert sum(not row.log for row in rows) > 100
    (told,) = house.notifier.outages
    assert (told.scope, told.closed_at, told.blame) == (RELAY, None, Blame.CONFIGURATION)


async def test_one_mail_probes_and_all_come_back_slowly(house: House) -> None:
    """However many are due and however many workers there are, one mail finds out; then one, two, four at a time."""
    relay = Relay(DOWN)
    await order(house, 300)
    async with working(house, relay, 2):
        await live(house, 120, 2)
        before, relay.says = relay.asked, None
        relay.at_once.clear()
        await live(house, 600, 2)
    assert relay.asked - before == 300
    assert len(relay.sent) == 300
    workers = 2
    assert max(relay.at_once[:2]) == 1
    assert max(relay.at_once[:8]) <= 2 * workers + 1
    assert max(relay.at_once) > 4
    begun, ended = house.notifier.outages
    assert (begun.closed_at, ended.outage_id) == (None, begun.outage_id)
    assert ended.closed_at is not None


async def test_a_code_that_expires_meanwhile_is_never_sent(house: House) -> None:
    """It is a dead letter soon after its time, without a connection, and while the outage lasts."""
    relay = Relay(DOWN)
    async with working(house, relay):
        await order(house, 10)
        await live(house, 30)
        asked = relay.asked
        for i in range(40):
            await house.service.enqueue_login_code(
                to=f"ada{i}@example.org", code="123456", ttl=timedelta(minutes=1)
            )
        await live(house, 70)
        stats = await house.service.stats()
    reasons = {row.reason for row in house.store.rows.values() if row.status.terminal}
    assert (stats[DeliveryStatus.DEAD_LETTERED], reasons) == (40, {DeadLetterReason.EXPIRED})
    assert relay.asked - asked < 10
    assert sum(len(row.log) for row in house.store.rows.values() if row.template == "login_code") < 10


async def test_a_relay_that_refuses_our_sender_delays_no_other_sender(house: House) -> None:
    """Its mails are put off without an attempt each; those of another sender go."""
    relay = Relay(NOT_YOUR_ADDRESS)
    async with working(house, relay):
        await order(house, 50)
        await live(house, 3)
        for row in house.store.rows.values():
            assert not row.status.terminal
        asked = relay.asked
        await order(house, 50, "fine.example", sender="Other <other@example.org>")
        await live(house, 3)
        assert len(relay.sent) == 50
        assert relay.asked - asked < 50 + 5
    (told,) = house.notifier.outages
    assert told.scope == "no-reply@example.org"


async def test_one_recipient_whose_server_dislikes_the_sender_stops_nobody(house: House) -> None:
    """Told at RCPT it may be about that mail alone, for days: it is the sender's outage once a second one in a row meets it."""
    relay = Relay()
    relay._script = lambda address, _: TOLD_LATE if address.domain == "picky.example" else None
    async with working(house, relay):
        await order(house, 1, "picky.example")
        for _ in range(60):
            await order(house, 5, "fine.example")
            await live(house, 2)
        assert len(relay.sent) == 300
        assert not house.notifier.outages
        await order(house, 20, "picky.example")
        await live(house, 4)
    (told,) = house.notifier.outages
    assert told.scope == "no-reply@example.org"


async def test_refusals_by_policy_of_many_are_ours(house: House) -> None:
    """The first ones are believed to be about those mails; from then on nobody is given up for it."""
    relay = Relay(SPAM)
    policy = BreakerPolicy()
    await order(house, 100)
    async with working(house, relay):
        await live(house, 300)
        dead = (await house.service.stats())[DeliveryStatus.DEAD_LETTERED]
        assert policy.doubts - 1 <= dead < 40
        assert waiting(house) == 100 - dead
        relay.says = None
        await live(house, 900)
        assert len(relay.sent) == 100 - dead


async def test_dead_addresses_in_a_row_are_no_outage(house: House) -> None:
    """A relay that says so works."""
    relay = Relay((Stage.RCPT, SmtpReply(550, "5.1.1 who?")))
    await order(house, 100)
    async with working(house, relay):
        await live(house, 5)
    assert (await house.service.stats())[DeliveryStatus.DEAD_LETTERED] == 100
    assert not house.notifier.outages


async def test_a_few_failures_are_weather(house: House) -> None:
    """Four in a row and a success: nobody is told, and all are sent."""
    failures = iter([DOWN] * 4)
    relay = Relay()
    relay._script = lambda _, __: next(failures, None)
    async with working(house, relay):
        for _ in range(8):
            await order(house, 1)
            await live(house, 1)
        await live(house, 60)
        assert len(relay.sent) == 8
    assert not house.notifier.outages


async def test_a_worker_learns_what_another_has_found(house: House) -> None:
    """Without a failure of its own; and whoever comes new knows it before it sends anything."""
    relay, idle = Relay(DOWN), Relay()
    await order(house, 20)
    async with working(house, relay):
        await live(house, 3)
        assert relay.asked
        async with working(house, idle):
            await order(house, 20, "fine.example")
            assert (await house.store.outages().open())[0].scope == RELAY
    assert idle.asked == 0


async def test_a_worker_that_starts_tries_what_may_have_been_mended(house: House) -> None:
    """Whoever has changed a password and starts anew does not wait for a cool-down; a relay that is away gets no rest less."""
    for trouble, sent in ((WRONG_PASSWORD, 10), (DOWN, 0)):
        async with working(house, Relay(trouble)):
            await order(house, 10)
            await live(house, 700)
        relay = Relay()
        async with working(house, relay):
            await live(house, 8)
        assert len(relay.sent) == sent


async def test_a_probe_of_a_dead_worker_is_made_by_another(house: House) -> None:
    """Its right to it lasts for a while only."""
    outages = house.store.outages()
    down = Relay(DOWN)
    async with working(house, down):
        await order(house, 10)
        await live(house, 3)
    (outage,) = await outages.open()
    house.clock.advance(BreakerPolicy().cool_down.cap)
    assert await outages.take_probe(outage, BreakerPolicy().probe_hold)  # and never a word again
    relay = Relay()
    async with working(house, relay):
        await live(house, BreakerPolicy().probe_hold.total_seconds() - 2)
        assert relay.asked == 0
        await live(house, 30)
        assert len(relay.sent) == 10


def test_the_relay_is_known_by_its_scope() -> None:
    """No address of a sender can be taken for the relay."""
    with pytest.raises(Exception, match="sender"):
        EmailAddress.parse(RELAY, "sender")
