"""The workers of a world: real ones, each a process with a line, a clock and luck of its own."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import attrs

from galaxy_mail.adapters.entropy.seeded import SeededEntropy
from galaxy_mail.adapters.memory import MemoryTransaction
from galaxy_mail.app import MailService, RuntimeConfig, Worker
from galaxy_mail.app.breakers import Breakers
from galaxy_mail.app.composing import Composer
from galaxy_mail.app.delivery_pass import DeliveryPass
from galaxy_mail.app.herald import Herald
from galaxy_mail.app.settler import Settler
from galaxy_mail.domain.addresses import Mailbox
from galaxy_mail.domain.backoff import BackoffPolicy
from galaxy_mail.domain.outages import BreakerPolicy
from galaxy_mail.domain.ports import AdminNotifier, SmtpSender
from galaxy_mail.domain.settlement import RetryPolicy
from tests.simulation.clocks import SimulatedClock
from tests.simulation.loop import Process
from tests.simulation.renderer import EditionRenderer
from tests.simulation.store import StoreLine
from tests.simulation.timeline import Timeline

SENDER = Mailbox.parse("Galaxy <no-reply@example.org>")
SECOND = timedelta(seconds=1)


def drawn_config(dice: Random) -> RuntimeConfig:
    """The settings of a world: everything short, so that little time has much in it."""
    return RuntimeConfig(
        poll_interval=dice.choice((2, 5)) * SECOND,
        first_poll=dice.choice((0.2, 2)) * SECOND,
        lease=dice.choice((5, 10)) * SECOND,
        sign_pause=SECOND,
        batch_size=dice.choice((1, 2, 5, 100)),
        recipients_per_transaction=dice.choice((1, 2, 100)),
        stop_grace=dice.choice((0, 3, 30)) * SECOND,
        release_timeout=5 * SECOND,
        notice_timeout=3 * SECOND,
        breaker=BreakerPolicy(
            failures=dice.choice((1, 3, 100)),
            doubts=dice.choice((2, 100)),
            cool_down=BackoffPolicy(base=SECOND, cap=5 * SECOND),
            probe_hold=dice.choice((1, 5)) * SECOND,
        ),
        retry=RetryPolicy(
            max_attempts=dice.choice((2, 4, 12)),
            max_age=dice.choice((60, 300, 300)) * SECOND,
            abandoned_limit=dice.choice((2, 5)),
            backoff=BackoffPolicy(base=SECOND, cap=10 * SECOND),
            outage_backoff=BackoffPolicy(base=SECOND, cap=5 * SECOND),
            long_delay=15 * SECOND,
        ),
    )


@attrs.frozen
class Desk:
    """What a process finds at its place, whoever works there."""

    process: Process
    line: StoreLine
    clock: SimulatedClock
    entropy: SeededEntropy
    composer: Composer
    config: RuntimeConfig

    def service(self) -> MailService[MemoryTransaction]:
        """A real MailService."""
        return MailService(
            store=self.line,
            composer=self.composer,
            clock=self.clock,
            entropy=self.entropy,
            sender=SENDER,
            config=self.config,
        )

    def worker(self, sender: SmtpSender, notifier: AdminNotifier, timeline: Timeline) -> Worker:
        """A real Worker, of real parts."""
        config, logger = self.config, timeline.logger(self.process.name)
        return Worker(
            name=self.process.name,
            store=self.line,
            delivery_pass=DeliveryPass(
                composer=self.composer,
                sender=sender,
                clock=self.clock,
                entropy=self.entropy,
                breakers=Breakers(
                    outages=self.line.outages(),
                    clock=self.clock,
                    entropy=self.entropy,
                    config=config,
                    logger=logger,
                ),
                config=config,
                logger=logger,
            ),
            settler=Settler(queue=self.line, clock=self.clock, config=config, logger=logger),
            herald=Herald(queue=self.line, notifier=notifier, clock=self.clock, config=config, logger=logger),
            clock=self.clock,
            config=config,
            logger=logger,
        )


@attrs.define(eq=False)
class Hand:
    """A worker at work."""

    desk: Desk
    task: asyncio.Task[None]
    luck: Random  # whether it falls into an ambush
    asked: bool = False  # to stop

    @property
    def process(self) -> Process:
        """What can be frozen and killed."""
        return self.desk.process

    @property
    def working(self) -> bool:
        """Whether it claims mails, now or once it thaws."""
        return self.process.alive and not self.task.done()


def composer(edition: int, config: RuntimeConfig) -> Composer:
    """One that renders this edition of the templates."""
    return Composer(EditionRenderer(edition), config)
