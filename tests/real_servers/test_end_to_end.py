"""The mission through real relays: from enqueue to the mailbox, with the tables agreeing."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from galaxy_mail.adapters.smtp import TlsMode
from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.app.opening import OpenMail
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from tests.real_servers.relays import DOMAIN, PEOPLE, RealRelay

pytestmark = pytest.mark.real_server

NOBODY = f"nobody-here@{DOMAIN}"


@pytest.fixture
async def opened(
    server: RealRelay, tls: TlsMode, postgres_dsn: str, schema_name: str, tmp_path: Path
) -> AsyncIterator[OpenMail]:
    """galaxy_mail in a schema of its own, with a template ``welcome`` and two connections to the relay."""
    folder = tmp_path / "templates" / "welcome"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("Willkommen, {{ name }} ☺")
    (folder / "body.txt").write_text(".\nHallo {{ name }}, schöne Grüße.\n..\n")
    settings = MailSettings(
        dsn=postgres_dsn,
        schema=schema_name,
        smtp_url=f"smtp://localhost:{server.port}?tls={tls}",
        smtp_ca_file=server.ca_file,
        sender=f"Galaxy <no-reply@{DOMAIN}>",
        template_dirs=[tmp_path / "templates"],
        backoff_base=timedelta(milliseconds=20),
        poll_interval=timedelta(milliseconds=20),
        connections=2,
    )
    async with open_mail(settings) as mail:
        await mail.migrate()
        yield mail


async def welcome(mail: OpenMail, name: str, to: str, bcc: tuple[str, ...] = ()) -> UUID:
    """Enqueue a mail."""
    return await mail.service.enqueue_template("welcome", to=to, bcc=bcc, context={"name": name})


async def test_the_mission(server: RealRelay, opened: OpenMail) -> None:
    """100 mails, one of them partly and another wholly refused: the mailboxes hold what the tables say."""
    names = [f"Ünal {i}" for i in range(98)] + ["Part"]
    ids = [await welcome(opened, name, f"{PEOPLE[i % 4]}@{DOMAIN}") for i, name in enumerate(names[:-1])]
    ids += [await welcome(opened, "Part", f"ada@{DOMAIN}", (NOBODY,)), await welcome(opened, "Dead", NOBODY)]
    await opened.worker().run_until_empty()
    stats = await opened.service.stats()
    records = [await opened.service.show(i) for i in ids]

    assert (stats[DeliveryStatus.SENT], stats[DeliveryStatus.DEAD_LETTERED]) == (99, 1)
    assert records[-1].summary.reason is DeadLetterReason.REFUSED
    # A machine that stalls for longer than the lease makes the gate withhold a body, which burns nothing.
    assert [sum(attempt.burned for attempt in record.attempts) for record in records] == [1] * 100
    assert len({record.attempts[-1].remote_id for record in records[:-1]} - {None}) == 99
    message_ids = [f"<{record.message_id}>" for record in records]
    copies = [copy for copy in server.copies() if copy.message_id in message_ids]
    assert Counter(copy.message_id for copy in copies) == Counter(message_ids[:-1])
    texts = [email.message_from_bytes(copy.octets, policy=email.policy.default) for copy in copies]
    said = {(str(text["Subject"]), *text.get_content().splitlines()) for text in texts}
    assert said == {(f"Willkommen, {name} ☺", ".", f"Hallo {name}, schöne Grüße.", "..") for name in names}
    assert all(text["Bcc"] is None for text in texts)


async def test_many_dead_letters_spoil_no_other_mail(server: RealRelay, opened: OpenMail) -> None:
    """60 mails to nobody, for which servers end connections: each dies of its one refusal, and 6 good ones arrive once."""
    people = [f"{PEOPLE[0]}@{DOMAIN}" if i % 11 == 5 else NOBODY for i in range(66)]
    ids = [await welcome(opened, str(i), to) for i, to in enumerate(people)]
    await opened.worker().run_until_empty()
    records = [await opened.service.show(i) for i in ids]

    reasons = [record.summary.reason for record in records]
    assert reasons == [DeadLetterReason.REFUSED if to == NOBODY else None for to in people]
    assert [sum(attempt.burned for attempt in record.attempts) for record in records] == [1] * 66
    good = [f"<{record.message_id}>" for record in records if record.summary.reason is None]
    message_ids = {f"<{record.message_id}>" for record in records}
    copies = [copy.message_id for copy in server.copies() if copy.message_id in message_ids]
    assert sorted(copies) == sorted(good)
