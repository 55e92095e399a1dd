from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from galaxy_mail.adapters.smtp import PooledSmtpSender, RelayConfig, TlsMode
from galaxy_mail.adapters.smtp.handshake import own_name
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, SmtpReply, Stage
from galaxy_mail.testing.smtp_rules import Moment, Rule, lines, say
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.certificates import client_context, server_context
from tests.adapters.smtp.test_tls import AUTHORITY
from tests.adapters.smtp.world import MESSAGE, TO_ADA, open_gate, sending_to

uvloop = pytest.importorskip("uvloop", reason="the extra [uvloop] is not for this platform")


@pytest.mark.parametrize(
    "host, address, name",
    [
        ("app7.example.org", "192.0.2.1", "app7.example.org"),
        ("app7", "192.0.2.1", "[192.0.2.1]"),
        ("bücher.example", "192.0.2.1", "[192.0.2.1]"),
        ("app7", "2001:db8::1", "[IPv6:2001:db8::1]"),
        ("app7", "fe80::1%eth0", "[IPv6:fe80::1]"),
    ],
)
def test_our_own_name_is_full_or_an_address(
    host: str, address: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This host's name if it is a full one, else the address of the connection (RFC 5321 section 4.1.4)."""
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert own_name(address) == name


@pytest.mark.parametrize("name", [None, "mail.example.org"])
async def test_we_introduce_ourselves_as_set(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what is set, else by our own name; the name server, which may be slow, is not asked."""
    monkeypatch.setattr(socket, "gethostname", lambda: "bare")
    monkeypatch.setattr(socket, "getfqdn", lambda: pytest.fail("asked the name server"))
    async with ScriptedSmtpServer() as server, sending_to(server, local_hostname=name) as sender:
        await sender.send(TO_ADA, MESSAGE, open_gate)
        assert server.ledger.said("EHLO") == [b"EHLO " + (name or "[127.0.0.1]").encode()]


async def test_a_server_that_does_not_know_ehlo_gets_no_mail() -> None:
    """No HELO: without EHLO there is neither TLS nor a size, and each relay of today knows it."""
    rules = [say(Moment.EHLO, lines(502, "5.5.1 not implemented"))]
    async with ScriptedSmtpServer(rules) as server, sending_to(server) as sender:
        receipt = await sender.send(TO_ADA, MESSAGE, open_gate)
        assert receipt.verdict == classify(Stage.EHLO, SmtpReply(502, "5.5.1 not implemented"))
        assert server.ledger.said("HELO") == []


async def test_a_server_that_greets_and_is_gone_burns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are heard at once, right after the connection was made: its end is the relay's trouble, not the mail's."""
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect
    with socket.create_server(("127.0.0.1", 0)) as listener:

        async def connect_and_be_left(sock: socket.socket, address: tuple[str, int]) -> None:
            await connect(sock, address)
            left, _ = listener.accept()
            left.sendall(b"220 relay.example.org\r\n")
            left.close()

        monkeypatch.setattr(loop, "sock_connect", connect_and_be_left)
        port = listener.getsockname()[1]
        sender = PooledSmtpSender(RelayConfig(host="127.0.0.1", port=port, tls=TlsMode.NONE))
        receipt = await sender.send(TO_ADA, MESSAGE, open_gate)
        await sender.aclose()
    assert receipt.verdict == classify(Stage.EHLO, Fault.CLOSED)


@pytest.mark.parametrize("said", [b"250 surplus\r\n", b"2"])
async def test_what_is_said_between_the_handshake_and_the_first_mail_is_out_of_step(said: bytes) -> None:
    """A reply too many behind EHLO's is found before a mail is begun."""
    rule = Rule(Moment.EHLO, lambda usual: [usual + said])
    async with ScriptedSmtpServer([rule]) as server, sending_to(server) as sender:
        receipt = await sender.send(TO_ADA, MESSAGE, open_gate)
        assert receipt.verdict == classify(Stage.EHLO, Fault.GARBAGE)
        assert server.ledger.said("MAIL") == []


async def test_a_second_greeting_is_not_taken_for_the_answer_to_ehlo() -> None:
    """Not even one that could be."""
    rule = Rule(Moment.GREETING, lambda usual: [usual + b"250-evil\r\n250 PIPELINING\r\n"])
    async with ScriptedSmtpServer([rule]) as server, sending_to(server) as sender:
        receipt = await sender.send(TO_ADA, MESSAGE, open_gate)
        assert receipt.verdict == classify(Stage.EHLO, Fault.GARBAGE)


async def test_exhausted_file_descriptors_are_the_transports_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket can be made: unreachable for now, and nothing is burned."""

    def exhausted(*_: object, **__: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    async with ScriptedSmtpServer() as server, sending_to(server) as sender:
        with monkeypatch.context() as patch:
            patch.setattr(socket, "socket", exhausted)
            receipt = await sender.send(TO_ADA, MESSAGE, open_gate)
        assert receipt.verdict == classify(Stage.CONNECT, Fault.UNREACHABLE)
        assert (await sender.send(TO_ADA, MESSAGE, open_gate)).verdict.accepted


async def test_a_bug_while_connecting_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told that it was ours."""
    async with ScriptedSmtpServer() as server, sending_to(server) as sender:
        monkeypatch.setattr(socket, "gethostname", lambda: 1 / 0)
        receipt = await sender.send(TO_ADA, MESSAGE, open_gate)
        assert receipt.verdict == classify(Stage.CONNECT, Fault.INTERNAL)


@pytest.mark.parametrize("mode", TlsMode)
def test_it_works_on_uvloop_too(mode: TlsMode) -> None:
    """The transport is taken over there as well: in clear, after STARTTLS, and under TLS from the first octet."""

    async def ten_mails() -> int:
        server = ScriptedSmtpServer(
            offered=Offered(starttls=mode is TlsMode.STARTTLS),
            tls=server_context(AUTHORITY, "localhost"),
            implicit_tls=mode is TlsMode.IMPLICIT,
        )
        context = client_context(AUTHORITY) if mode is not TlsMode.NONE else None
        async with server, sending_to(server, host="localhost", tls=mode, tls_context=context) as sender:
            receipts = [await sender.send(TO_ADA, MESSAGE, open_gate) for _ in range(10)]
            await sender.aclose()
            assert server.connections == 1
        return sum(receipt.verdict.accepted for receipt in receipts)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ten_mails()) == 10
