"""The demo from its first line to its last: server, inbox, orders, worker, account."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from datetime import timedelta
from pathlib import Path

import attrs

from galaxy_mail.app.container import MailContainer
from galaxy_mail.app.demo import scenario
from galaxy_mail.app.demo.folder import Folder
from galaxy_mail.app.demo.inbox import Arrival, Inbox, Refusal
from galaxy_mail.app.demo.reckoning import Account
from galaxy_mail.app.demo.report import report_lines
from galaxy_mail.app.demo.screen import Screen
from galaxy_mail.app.embedded import running_postgres
from galaxy_mail.app.opening import OpenMail, open_mail
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.domain.ports import Clock

PATIENCE = 60.0  # seconds; far more than the demo needs
GLANCE = 0.1
BACKOFF_BASE = timedelta(milliseconds=500)


async def run_demo(out: Path) -> int:
    """Run the demo with its things in ``out``; 0 if everything adds up, else 1.

    Raises:
        InvalidInput: ``out`` cannot be used.
        EmbeddedServerError: no PostgreSQL can be started on this machine.
    """
    clock = MailContainer.clock()
    began = clock.monotonic()
    folder, screen = Folder(out), Screen(sys.stdout)
    folder.prepare()
    logging.basicConfig(
        filename=folder.log, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    screen.say(f"galaxy-mail demo: all of it is real, on this machine only; what it makes is in {out}/")
    inbox = Inbox(scenario.ONCE, scenario.ALWAYS, lambda event: screen.say(f"  inbox  {_told(event)}"))
    async with running_postgres(folder.postgres) as dsn, inbox, open_mail(_settings(dsn, inbox.url)) as mail:
        took = clock.monotonic() - began
        screen.say(f"  PostgreSQL {await _version(mail)} and an SMTP inbox are up ({took:.1f} s)")
        account = await _play(mail, inbox, screen, clock)
    for number, arrival in enumerate(inbox.arrivals, 1):
        folder.keep(number, arrival)
    for line in report_lines(account, folder):
        screen.say(line)
    grievances = account.grievances()
    for grievance in grievances:
        screen.say(f"  does not add up: {grievance}")
    figures = account.figures(clock.monotonic() - began)
    screen.say(json.dumps(attrs.asdict(figures)), colour=False)
    return 1 if grievances else 0


def _settings(dsn: str, smtp_url: str) -> MailSettings:
    return MailSettings(
        dsn=dsn,
        smtp_url=smtp_url,
        sender=scenario.SENDER,
        admins=[scenario.ADMIN],
        template_dirs=[scenario.TEMPLATES],
        backoff_base=BACKOFF_BASE,
        poll_interval=timedelta(milliseconds=100),
    )


async def _version(mail: OpenMail) -> str:
    version: str = await mail.pool.fetchval("show server_version")
    return version


async def _play(mail: OpenMail, inbox: Inbox, screen: Screen, clock: Clock) -> Account:
    """Order, send, and read what the tables say in the end."""
    await mail.pool.execute(scenario.RESET)
    await mail.migrate()
    ordered = await scenario.order_all(mail)
    screen.say(
        f"  {len(ordered)} mails are ordered; one more was ordered in a transaction that was rolled back"
    )
    base = BACKOFF_BASE.total_seconds()
    screen.say(f"  a worker sends them; it tries again after {base} s here, where 5 s is the default")
    await _work(mail, screen, clock)
    found = await mail.service.search(limit=1000)
    records = [await mail.service.show(one.delivery_id) for one in found]
    rows = await mail.pool.fetch("select name from demo_shop.customers order by name")
    return Account(ordered, records, inbox.arrivals, [row["name"] for row in rows])


async def _work(mail: OpenMail, screen: Screen, clock: Clock) -> None:
    watching = asyncio.create_task(_watch(mail, screen, clock))
    try:
        with contextlib.suppress(TimeoutError):  # what has not ended by then is named in the account
            async with asyncio.timeout(PATIENCE):
                await mail.worker().run_until_empty()
        screen.show(await _standing(mail))
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        screen.close()


async def _watch(mail: OpenMail, screen: Screen, clock: Clock) -> None:
    while True:
        screen.show(await _standing(mail))
        await clock.sleep(GLANCE)


async def _standing(mail: OpenMail) -> str:
    stats = await mail.service.stats()
    return "  outbox " + " · ".join(f"{status} {number}" for status, number in stats.items())


def _told(event: Arrival | Refusal) -> str:
    if isinstance(event, Refusal):
        return f"{event.recipient}: {event.reply}"
    return f"{', '.join(event.recipients)}: a mail of {len(event.octets):,} bytes"
