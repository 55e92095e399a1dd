"""The mission through real relays: from enqueue to the mailbox, with the tables agreeing."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from galaxy_mail.adapters.smtp import TlsMode
from galaxy_mail.app import MailSettings, open_mail
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from tests.real_servers.relays import DOMAIN, PEOPLE, RealRelay

pytestmark = pytest.mark.real_server


async def test_the_mission(
    server: RealRelay, tls: TlsMode, postgres_dsn: str, schema_name: str, tmp_path: Path
) -> None:
    """100 templates, one of them partly and another wholly refused: the mailboxes hold what the tables say."""
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
        connections=4,
    )
    nobody = f"nobody-here@{DOMAIN}"
    async with open_mail(settings) as mail:
        await mail.migrate()
        enqueue = mail.service.enqueue_template
        ids = [
            await enqueue("welcome", to=f"{PEOPLE[i % 4]}@{DOMAIN}", context={"name": f"Ünal {i}"})
            for i in range(98)
        ]
        part = await enqueue("welcome", to=f"ada@{DOMAIN}", bcc=nobody, context={"name": "Part"})
        dead = await enqueue("welcome", to=nobody, context={"name": "Dead"})
        await mail.worker().run_until_empty()
        stats = await mail.service.stats()
        records = [await mail.service.show(i) for i in (*ids, part, dead)]

    assert stats[DeliveryStatus.SENT] == 99
    assert stats[DeliveryStatus.DEAD_LETTERED] == 1
    assert records[-1].summary.reason is DeadLetterReason.REFUSED
    assert [len(record.attempts) for record in records] == [1] * 100
    remote_ids = {record.attempts[0].remote_id for record in records[:-1]}
    assert len(remote_ids - {None}) == 99
    message_ids = [f"<{record.message_id}>" for record in records]
    copies = [copy for copy in server.copies() if copy.message_id in message_ids]
    assert Counter(copy.message_id for copy in copies) == Counter(message_ids[:-1])
    texts = [email.message_from_bytes(copy.octets, policy=email.policy.default) for copy in copies]
    said = {(str(text["Subject"]), *text.get_content().splitlines()) for text in texts}
    names = [f"Ünal {i}" for i in range(98)] + ["Part"]
    assert said == {(f"Willkommen, {n} ☺", ".", f"Hallo {n}, schöne Grüße.", "..") for n in names}
    assert all(text["Bcc"] is None for text in texts)
