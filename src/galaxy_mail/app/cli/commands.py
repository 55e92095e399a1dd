"""The commands, each a few lines over the service: what they do, what they print, with which code they end."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import attrs

from galaxy_mail.app.cli import looking, output
from galaxy_mail.app.cli.codes import DONE, FAILED
from galaxy_mail.app.cli.opened import stopping
from galaxy_mail.app.cli.output import Output
from galaxy_mail.app.cli.processes import run_workers
from galaxy_mail.app.opening import OpenMail
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.errors import InvalidInput, SchemaOutdated
from galaxy_mail.domain.mail import Lane

Run: TypeAlias = Callable[[OpenMail, argparse.Namespace, Output], Awaitable[int]]


@attrs.frozen
class Command:
    """How a command is run: with which settings, and whether the schema must be up to date, or the database there, before."""

    run: Run
    needed: tuple[str, ...] = ()
    ready: bool = True
    lazy: bool = False


async def migrate(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Apply the missing steps, or with ``--check`` only look."""
    if arguments.check:
        return await _check(mail, out)
    applied = await mail.migrate()
    out.give(
        {"applied": applied},
        [f"applied {step}" for step in applied] or ["nothing to do: the schema is up to date"],
    )
    return DONE


async def _check(mail: OpenMail, out: Output) -> int:
    try:
        await mail.container.check_schema()
    except SchemaOutdated as outdated:
        out.give({"up_to_date": False, "problem": str(outdated)}, [str(outdated)])
        return FAILED
    out.give({"up_to_date": True, "problem": None}, ["the schema is up to date"])
    return DONE


async def worker(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Send until stopped; or until nothing is left, and then say how the deliveries stand."""
    task = asyncio.create_task(_work(mail, arguments))
    with stopping(task):
        try:
            code = await task
        except asyncio.CancelledError:  # told to stop: it has drained
            return DONE
    return code or await stats(mail, arguments, out)


async def _work(mail: OpenMail, arguments: argparse.Namespace) -> int:
    if arguments.processes > 1:
        dsn = mail.container.settings().dsn
        assert dsn is not None, "a pool was opened on it"
        return await run_workers(arguments.processes, arguments.argv, dsn, mail.container.clock())
    worker = mail.worker()
    await (worker.run_until_empty() if arguments.until_empty else worker.run())
    return DONE


async def send(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Enqueue one mail and print its id."""
    secrets = {name: _asked(name) if value is None else value for name, value in arguments.secret}
    delivery_id = await mail.service.enqueue_template(
        arguments.template,
        to=arguments.to,
        cc=arguments.cc,
        bcc=arguments.bcc,
        reply_to=arguments.reply_to,
        context=dict(arguments.var),
        secrets=secrets,
        idempotency_key=arguments.key,
        ttl=arguments.ttl,
        send_at=arguments.send_at,
        lane=Lane[arguments.lane.upper()],
        on_uncertain=arguments.on_uncertain,
    )
    out.give({"delivery_id": delivery_id}, [str(delivery_id)])
    return DONE


def _asked(name: str) -> str:
    """A secret that stands in no process list and no shell history: typed unseen, or one line of the input."""
    try:
        return getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:
        raise InvalidInput("secrets", f"{name} was not given") from None


async def stats(mail: OpenMail, _: argparse.Namespace, out: Output) -> int:
    """Count by status."""
    counted = await mail.service.stats()
    out.give({status: counted[status] for status in DeliveryStatus}, output.stats_lines(counted))
    return DONE


async def list_deliveries(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """List what matches, newest first."""
    found = await mail.service.search(
        status=None if arguments.status is None else DeliveryStatus(arguments.status),
        template=arguments.template,
        recipient=arguments.recipient,
        limit=arguments.limit,
    )
    out.give({"deliveries": [output.summary_document(one) for one in found]}, output.list_lines(found))
    return DONE


async def show(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Print all that is known of a delivery."""
    record = await mail.service.show(arguments.id)
    out.give(output.delivery_document(record), output.delivery_lines(record))
    return DONE


async def resend(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Put a dead letter back into the queue."""
    await mail.service.resend(arguments.id, by=arguments.by or _me())
    out.give({"delivery_id": arguments.id}, [f"{arguments.id} is pending again"])
    return DONE


async def purge(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Delete what ended long ago."""
    purged = await mail.service.purge(arguments.older_than)
    out.give({"purged": purged}, [f"deliveries purged: {purged:,}"])
    return DONE


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return f"user {os.getuid()}"


COMMANDS: Mapping[str, Command] = {
    "migrate": Command(migrate, ready=False),
    "worker": Command(worker, needed=("smtp_url", "sender")),
    "send": Command(send, needed=("sender",)),
    "stats": Command(stats),
    "list": Command(list_deliveries),
    "show": Command(show),
    "resend": Command(resend),
    "purge": Command(purge),
    "shape": Command(looking.shape),
    "audit": Command(looking.audit),
    "doctor": Command(looking.doctor, needed=("smtp_url",), ready=False, lazy=True),
}
