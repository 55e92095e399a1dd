"""Stages: each brings one mail as far as there, holds it, and says whose hands it is in.

It takes the first mail that comes by after it was entered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

import attrs

from galaxy_mail.testing.smtp_rules import Moment, Rule, Situation, hang
from tests.faults.database import PATIENCE, SCHEMA
from tests.faults.proxy import Link, Trap
from tests.faults.world import World

HOLDER = f"""
select delivery_id, claimed_by, claim_token from {SCHEMA}.mail_deliveries join {SCHEMA}.mail_recipients using (delivery_id)
 where address = $1 and claim_token is not null
"""
WAITS_FOR_LOCK = "select exists (select from pg_locks join pg_stat_activity using (pid) where not granted and usename = 'mailer')"


@attrs.frozen
class Held:
    """A mail that is held at a stage: whose it is, by the tables."""

    delivery_id: UUID
    token: UUID
    pid: int  # of its worker
    recipient: str


Stage = Callable[[World], AbstractAsyncContextManager[Held]]


def at(moment: Moment, holding: Rule | None = None) -> Stage:
    """The relay has got as far as ``moment`` with a mail and does not answer, until the stage is left.

    ``holding`` may say what it does then, instead of the usual.
    """

    @asynccontextmanager
    async def stage(world: World) -> AsyncIterator[Held]:
        caught: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def first(situation: Situation) -> bool:
            if caught.done() or not situation.recipients:
                return False
            caught.set_result(situation.recipients[0])
            return True

        async with _ruled(world, attrs.evolve(holding or hang(moment), when=first)):
            async with asyncio.timeout(PATIENCE):
                recipient = await caught
            yield await _holder(world, recipient)

    return stage


@asynccontextmanager
async def _ruled(world: World, rule: Rule) -> AsyncIterator[None]:
    world.relay.rules.insert(0, rule)
    try:
        yield
    finally:
        if rule in world.relay.rules:
            world.relay.rules.remove(rule)
        world.relay.release()
        world.relay.hang_again()


async def _holder(world: World, recipient: str) -> Held:
    ((delivery_id, name, token),) = await world.admin.rows(HOLDER, recipient)
    return Held(delivery_id, token, int(name.rpartition(":")[2]), recipient)


def _trapped(answers_only: bool) -> Stage:
    @asynccontextmanager
    async def stage(world: World) -> AsyncIterator[Held]:
        link: Link | None = None
        try:
            async with at(Moment.DOT)(world) as held:
                # The settlement carries the queue id.
                trap = Trap((world.ledger.queue_id_for(held.recipient).encode(),), answers_only)
                world.to_database.trap = trap
            async with asyncio.timeout(PATIENCE):
                link = await trap.sprung
            if answers_only:
                await world.admin.until(
                    f"select status in ('sent', 'dead_lettered') from {SCHEMA}.mail_deliveries where delivery_id = $1",
                    held.delivery_id,
                )
            yield held
        finally:
            world.to_database.trap = None
            if link is not None:
                link.reset()

    return stage


@asynccontextmanager
async def during_commit(world: World) -> AsyncIterator[Held]:
    """The relay has said 250, and the settlement waits in the server for a lock, until the stage is left."""
    locker = None
    try:
        async with at(Moment.DOT)(world) as held:
            locker = await world.admin.session()
            await locker.execute("begin")
            await locker.execute(
                f"select from {SCHEMA}.mail_deliveries where delivery_id = '{held.delivery_id}' for update"
            )
        await world.admin.poll(WAITS_FOR_LOCK)
        yield held
    finally:
        if locker is not None:
            locker.terminate()


STAGES: dict[str, Stage] = {
    "after claim": at(Moment.RCPT),
    "after RCPT": at(Moment.DATA),
    "in the body": at(Moment.BODY),
    "after the dot": at(Moment.DOT),
    "after 250, before the commit": _trapped(answers_only=False),
    "during the commit": during_commit,
    "after the commit, before its answer": _trapped(answers_only=True),
}
