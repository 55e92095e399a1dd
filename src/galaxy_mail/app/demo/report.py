"""What the demo tells at its end: what became of each mail, and what there is to look at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from galaxy_mail.app.demo.folder import Folder
from galaxy_mail.app.demo.reckoning import Account
from galaxy_mail.app.demo.scenario import GHOST, Ordered
from galaxy_mail.app.settings_sources import HOME_VARIABLE
from galaxy_mail.app.terminal import NOTHING, table
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.records import DeliveryRecord


def report_lines(account: Account, folder: Folder) -> Iterator[str]:
    """The table of mails, the notices, the files."""
    records = {record.summary.delivery_id: record for record in account.records}
    heads, *rows = table(
        ("mail", "status", "attempts", "copies"),
        [_row(order, records.get(order.delivery_id), account) for order in account.ordered],
    )
    yield ""
    yield heads
    for row, order in zip(rows, account.ordered, strict=True):
        yield row
        yield from _story(records.get(order.delivery_id))
    ghosts = sum(GHOST in arrival.recipients for arrival in account.arrivals)
    yield f"and the welcome to {GHOST}, whose transaction was rolled back: {ghosts} copies"
    yield ""
    for record in account.records:
        if record.summary.status is DeliveryStatus.DEAD_LETTERED and account.notice_of(record):
            yield f"The administrator has a mail about {record.summary.delivery_id}, which was dead-lettered."
    yield f"The inbox received {len(account.arrivals)} messages. Open them:"
    for path in sorted(folder.mails.glob("*.eml")):
        yield f"  {path}"
    program = sys.argv[0] if Path(sys.argv[0]).name == "galaxy-mail" else "galaxy-mail"
    yield f"Look around in the outbox: {HOME_VARIABLE}={folder.root} {program} list"
    yield ""


def _row(order: Ordered, record: DeliveryRecord | None, account: Account) -> tuple[str, ...]:
    if record is None:
        return (order.title, "lost", NOTHING, NOTHING)
    return (
        order.title,
        record.summary.status,
        str(len(record.attempts)),
        str(account.copies_of(record)),
    )


def _story(record: DeliveryRecord | None) -> Iterator[str]:
    """To whom it went, and what the inbox said to each attempt."""
    if record is not None:
        people = [f"{one.kind} {one.address}" for one in record.recipients if one.kind.in_envelope]
        yield "    " + ", ".join(people)
        for attempt in record.attempts:
            yield f"    {attempt.code or attempt.stage} {attempt.detail}"
