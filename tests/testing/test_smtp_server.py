"""The scripted server, seen by the standard library's client."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from typing import TypeVar

import pytest
import trustme

from galaxy_mail.testing.smtp_rules import Moment, Rule, close, greylist, hang, reply, reset
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer

MESSAGE = b"Message-ID: <1@example.org>\r\nSubject: x\r\n\r\n.dot\r\n"
AUTHORITY = trustme.CA(key_type=trustme.KeyType.ECDSA)
T = TypeVar("T")


async def with_client(server: ScriptedSmtpServer, act: Callable[[smtplib.SMTP], T]) -> T:
    """What ``act`` makes of a connection, in a thread."""

    def run() -> T:
        with smtplib.SMTP(server.host, server.port, timeout=20) as client:
            return act(client)

    return await asyncio.to_thread(run)


def send(client: smtplib.SMTP) -> dict[str, tuple[int, bytes]]:
    """One mail to two people; what was refused."""
    return client.sendmail("a@example.org", ["ada@example.org", "bob@example.org"], MESSAGE)


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context, and a client's that trusts it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    AUTHORITY.configure_trust(client)
    return server, client


async def test_it_takes_mail_from_any_client() -> None:
    """And keeps what came, octet for octet."""
    async with ScriptedSmtpServer() as server:
        assert await with_client(server, send) == {}
        (copy,) = server.copies
        assert (copy.sender, copy.octets, copy.message_id) == ("a@example.org", MESSAGE, "1@example.org")


async def test_rules_speak_to_the_client() -> None:
    """A refusal reaches it, and rules may come and go while the server runs."""
    async with ScriptedSmtpServer([reply(Moment.RCPT, 550, "no", recipient="bob@example.org")]) as server:
        assert await with_client(server, send) == {"bob@example.org": (550, b"no")}
        server.rules[:] = [greylist()]
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await with_client(server, send)
        assert await with_client(server, send) == {}


@pytest.mark.parametrize("act", [close, reset])
async def test_a_connection_can_end_anywhere(act: Callable[[Moment], Rule]) -> None:
    """The client sees it."""
    for moment in (Moment.GREETING, Moment.MAIL, Moment.DOT):
        async with ScriptedSmtpServer([act(moment)]) as server:
            with pytest.raises((smtplib.SMTPException, ConnectionError)):
                await with_client(server, send)


async def test_starttls_and_implicit_tls_are_spoken() -> None:
    """With the context given."""
    inside, outside = contexts()

    def upgrade(client: smtplib.SMTP) -> dict[str, tuple[int, bytes]]:
        client._host = "localhost"  # type: ignore[attr-defined]
        client.starttls(context=outside)
        return send(client)

    async with ScriptedSmtpServer(offered=Offered(starttls=True), tls=inside) as server:
        assert await with_client(server, upgrade) == {}
        assert len(server.copies) == 1

    def implicit() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP_SSL("localhost", server.port, context=outside, timeout=20) as client:
            return send(client)

    async with ScriptedSmtpServer(tls=inside, implicit_tls=True) as server:
        assert await asyncio.to_thread(implicit) == {}


async def test_waiting_is_for_events() -> None:
    """``wait_for`` returns when a moment has come often enough, also if it came before; a hang lasts until released."""
    async with ScriptedSmtpServer([hang(Moment.DOT)]) as server:
        sending = asyncio.create_task(with_client(server, send))
        await server.wait_for(Moment.RCPT, 2)
        await server.wait_for(Moment.DOT)
        assert not sending.done()
        server.release()
        assert await sending == {}
        await server.wait_for(Moment.GONE)
        assert (server.connections, server.peak) == (1, 1)


async def test_what_was_released_can_hang_again() -> None:
    """``hang_again`` stops nothing that was let go, and the next one hangs until it is released."""
    async with ScriptedSmtpServer([hang(Moment.DOT)]) as server:
        for count in (1, 2):
            sending = asyncio.create_task(with_client(server, send))
            await server.wait_for(Moment.DOT, count)
            assert not sending.done()
            server.release()
            server.hang_again()
            assert await sending == {}


async def test_it_can_leave_and_speak_on_its_own() -> None:
    """As servers do with idle connections."""
    async with ScriptedSmtpServer() as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        assert (await reader.readline()).startswith(b"220 ")
        server.say_to_all(b"421 bye\r\n")
        server.drop_all()
        assert await reader.read() == b"421 bye\r\n"
        writer.close()


async def test_leaving_the_server_ends_its_connections() -> None:
    """Also those that hang."""
    async with ScriptedSmtpServer([hang(Moment.GREETING)]) as server:
        _, writer = await asyncio.open_connection(server.host, server.port)
        await server.wait_for(Moment.GREETING)
    assert server.ledger.moments[Moment.GONE] == 1
    writer.close()


async def test_it_listens_where_it_is_told() -> None:
    """A port may be given; else a free one is found."""
    async with ScriptedSmtpServer() as first:
        port = first.port
    async with ScriptedSmtpServer(port=port) as server:
        assert server.port == port
        assert await with_client(server, send) == {}
