"""The pipelined sender and real relays, in clear and by STARTTLS: what it says is understood, what they say is believed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme

from galaxy_mail.adapters.smtp import PooledSmtpSender, PoolLimits, RelayConfig, TlsMode
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Blame, Envelope, Fault, Stage
from tests.real_servers.relays import DOMAIN, LIMIT, PEOPLE, RealRelay
from tests.real_servers.turns import wire_to

pytestmark = pytest.mark.real_server

SENDER = EmailAddress("no-reply", DOMAIN)
BODIES = (
    b"Hello.\r\n",
    b".\r\n..\r\n.hidden\r\n\r\nmiddle\r\n...\r\nQUIT\r\n.\r\n",
    "Grüße, 世界 ☺ – naïve façade\r\n".encode(),
    b"".join(b"%060d\r\n" % line for line in range(200)),
    b"",
)


def open_gate() -> None:
    """A gate that stands open."""


def to(*people: str) -> Envelope:
    """An envelope for these people of our domain, or for whoever has a full address."""
    return Envelope(
        SENDER, tuple(EmailAddress.parse(p if "@" in p else f"{p}@{DOMAIN}", "to") for p in people)
    )


def mail(body: bytes = BODIES[0]) -> tuple[str, bytes]:
    """A Message-ID that no other mail has, and the message."""
    message_id = f"<{uuid.uuid4()}@{DOMAIN}>"
    head = f"Message-ID: {message_id}\r\nDate: Thu, 01 Jan 2026 12:00:00 +0000\r\nFrom: {SENDER}\r\nTo: ada@{DOMAIN}\r\n"
    kind = (
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    )
    return message_id, f"{head}Subject: tried on a real server\r\n{kind}\r\n".encode() + body


@asynccontextmanager
async def sending_to(server: RealRelay, tls: TlsMode, **changes: Any) -> AsyncIterator[PooledSmtpSender]:
    """A sender that trusts the server's authority, closed politely in the end."""
    config = RelayConfig(host="localhost", port=server.port, tls=tls, ca_file=server.ca_file)
    sender = PooledSmtpSender(attrs.evolve(config, **changes))
    try:
        yield sender
    finally:
        await sender.aclose()


async def test_each_mail_arrives_once_octet_for_octet(server: RealRelay, tls: TlsMode) -> None:
    """200 mails over 4 connections: all accepted, each under a queue id of its own, each in the mailbox once and unchanged."""
    mails = dict(mail(BODIES[i % len(BODIES)]) for i in range(200))
    async with sending_to(server, tls, pool=PoolLimits(connections=4)) as sender:
        sends = [sender.send(to(PEOPLE[i % 4]), octets, open_gate) for i, octets in enumerate(mails.values())]
        receipts = await asyncio.gather(*sends)
    assert [receipt.verdict for receipt in receipts if not receipt.verdict.accepted] == []
    assert len({receipt.remote_id for receipt in receipts} - {None}) == len(mails)
    copies = server.copies_of(mails)
    assert sorted(copy.message_id for copy in copies) == sorted(mails)
    assert [copy for copy in copies if not copy.is_copy_of(mails[copy.message_id])] == []


async def test_pipelining_is_used_where_it_is_offered(server: RealRelay, tls: TlsMode) -> None:
    """20 mails to three people each over one connection: at most two round trips a mail, else one for each command."""
    mails = dict(mail() for _ in range(20))
    async with wire_to(server.port) as wire:  # noqa: SIM117
        async with sending_to(server, tls, port=wire.port, pool=PoolLimits(connections=1)) as sender:
            receipts = [await sender.send(to(*PEOPLE[:3]), octets, open_gate) for octets in mails.values()]
    assert all(receipt.verdict.accepted for receipt in receipts)
    handshake = 10  # at most: EHLO, STARTTLS, the turns of TLS, EHLO, QUIT
    if server.recipe.pipelining:
        assert wire.turns <= handshake + 2 * len(mails)
    else:
        assert wire.turns >= 6 * len(mails)  # MAIL, three times RCPT, DATA, the body
    assert len(server.copies_of(mails)) == 3 * len(mails)


async def test_riders_are_understood(server: RealRelay, tls: TlsMode) -> None:
    """Mails that all wait for one connection ride behind each other's dot: good, refused and large ones keep their own replies."""
    plan = [("ada",), ("nobody-here",), ("bob", "nobody-here"), ("eve",), ("nobody-here", "joe")] * 8
    mails = dict(mail(BODIES[i % len(BODIES)] * (1 + i % 7)) for i in range(len(plan)))
    async with sending_to(server, tls, pool=PoolLimits(connections=1)) as sender:
        sends = [
            sender.send(to(*people), m, open_gate) for people, m in zip(plan, mails.values(), strict=True)
        ]
        receipts = await asyncio.gather(*sends)
    accepted = [[verdict.accepted for verdict in receipt.verdicts] for receipt in receipts]
    assert accepted == [[person in PEOPLE for person in people] for people in plan]
    expected = [(i, p) for people, i in zip(plan, mails, strict=True) for p in people if p in PEOPLE]
    copies = server.copies_of(mails)
    assert sorted((copy.message_id, copy.person) for copy in copies) == sorted(expected)
    assert [copy for copy in copies if not copy.is_copy_of(mails[copy.message_id])] == []


async def test_a_refused_recipient_is_refused_alone(server: RealRelay, tls: TlsMode) -> None:
    """Nobody of that name, or of a domain that is not served: for good, and the others have their mail."""
    message_id, octets = mail()
    async with sending_to(server, tls) as sender:
        receipt = await sender.send(
            to("ada", "nobody-here", "bob", "someone@elsewhere.example"), octets, open_gate
        )
    ada, nobody, bob, stranger = receipt.verdicts
    assert (ada.accepted, bob.accepted) == (True, True)
    for refused in (nobody, stranger):
        assert (refused.outcome, refused.stage) == (AttemptOutcome.PERMANENT_ERROR, Stage.RCPT)
    assert nobody.blame is Blame.RECIPIENT
    assert stranger.blame in (Blame.RECIPIENT, Blame.POLICY)
    copies = server.copies_of({message_id: octets})
    assert sorted(copy.person for copy in copies) == ["ada", "bob"]


async def test_nobody_accepted_is_no_mail(server: RealRelay, tls: TlsMode) -> None:
    """With every recipient refused nothing is delivered, and the connection serves the next mail."""
    lost, found = mail(), mail()
    async with sending_to(server, tls, pool=PoolLimits(connections=1)) as sender:
        refused = await sender.send(to("nobody-here", "nor-here"), lost[1], open_gate)
        accepted = await sender.send(to("ada"), found[1], open_gate)
    assert {verdict.outcome for verdict in refused.verdicts} == {AttemptOutcome.PERMANENT_ERROR}
    assert accepted.verdict.accepted
    assert [copy.message_id for copy in server.copies_of(dict([lost, found]))] == [found[0]]


async def test_a_flood_of_refusals_harms_no_other_mail(server: RealRelay, tls: TlsMode) -> None:
    """Some servers end the connection after many: who is not refused himself is accepted, or burns no attempt."""
    mails = dict(mail() for _ in range(31))
    people = [f"nobody-{i}" if i != 15 else "ada" for i in range(31)]
    async with sending_to(server, tls, pool=PoolLimits(connections=1)) as sender:
        sends = [
            sender.send(to(p), octets, open_gate) for p, octets in zip(people, mails.values(), strict=True)
        ]
        verdicts = [receipt.verdict for receipt in await asyncio.gather(*sends)]
        again = await sender.send(to("bob"), mail()[1], open_gate)
    good = verdicts.pop(15)
    assert [verdict for verdict in verdicts if verdict.accepted] == []
    assert [v for v in verdicts if v.burns_attempt and (v.blame, v.final) != (Blame.RECIPIENT, True)] == []
    assert good.accepted or not good.burns_attempt
    assert again.verdict.accepted
    assert len(server.copies_of(mails)) == good.accepted


async def test_a_mail_over_the_size_is_its_own_fault(server: RealRelay, tls: TlsMode) -> None:
    """The SIZE of the server is heeded: that mail is refused for good, the next one is not."""
    large, small = mail(BODIES[3] * (LIMIT // len(BODIES[3]) + 1)), mail()
    async with sending_to(server, tls, pool=PoolLimits(connections=1)) as sender:
        receipts = [await sender.send(to("ada"), octets, open_gate) for _, octets in (large, small)]
    refused, accepted = [receipt.verdict for receipt in receipts]
    assert refused == classify(Stage.LOCAL, Fault.TOO_LARGE)
    assert (refused.blame, refused.final) == (Blame.MESSAGE, True)
    assert accepted.accepted
    assert [copy.message_id for copy in server.copies_of(dict([large, small]))] == [small[0]]


async def test_a_server_that_counts_the_octets_itself_is_believed(
    server: RealRelay, tls: TlsMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where we know no limit, the server's own refusal of a large mail is the message's fault too."""
    monkeypatch.setattr("galaxy_mail.adapters.smtp.envelopes._number", lambda _: 0)
    large = mail(BODIES[3] * (LIMIT // len(BODIES[3]) + 1))
    async with sending_to(server, tls) as sender:
        receipt = await sender.send(to("ada"), large[1], open_gate)
    assert (receipt.verdict.blame, receipt.verdict.final) == (Blame.MESSAGE, True)
    assert receipt.verdict.stage in (Stage.MAIL, Stage.DOT)
    assert server.copies_of(dict([large])) == []


@pytest.mark.parametrize(
    "changes", [{"ca_file": "stranger.pem"}, {"host": "127.0.0.1"}], ids=["authority", "host"]
)
async def test_a_certificate_of_a_stranger_stops_everything(
    secured: RealRelay, changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an authority that is not ours, or for another name: our configuration's fault, and nothing is sent."""
    monkeypatch.chdir(tmp_path)
    trustme.CA(key_type=trustme.KeyType.ECDSA).cert_pem.write_to_path("stranger.pem")
    lost, found = mail(), mail()
    async with sending_to(secured, TlsMode.STARTTLS, **changes) as sender:
        receipt = await sender.send(to("ada"), lost[1], open_gate)
    async with sending_to(secured, TlsMode.STARTTLS) as sender:
        accepted = await sender.send(to("ada"), found[1], open_gate)
    assert receipt.verdict == classify(Stage.TLS, Fault.TLS_FAILED)
    assert receipt.verdict.blame is Blame.CONFIGURATION
    assert accepted.verdict.accepted
    assert [copy.message_id for copy in secured.copies_of(dict([lost, found]))] == [found[0]]
