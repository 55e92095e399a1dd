"""The whole sender on a real socket, and a relay that distorts what it says: everybody gets an answer, and nothing leaks.

The relay takes mail as usual; only what it says is changed. So whatever it says, the handshake by aiosmtplib included, must
end in a verdict for each recipient, in a pool that closes, and with no error that only the event loop hears of.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Iterator
from typing import Any

import trustme

from galaxy_mail.adapters.smtp import Patience, PooledSmtpSender, PoolLimits, RelayConfig, TlsMode
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.verdicts import Envelope, Receipt, Stage
from galaxy_mail.testing.smtp_rules import Deed, Moment, Output, Rule
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.certificates import client_context, server_context
from tests.fuzz.engine import Target
from tests.fuzz.octets import Octets
from tests.fuzz.replies import WORDS

SHORT = 0.02  # seconds, for each wait: a relay that falls silent ends the conversation
PATIENCE = Patience(connect=1, token=SHORT, command=SHORT, block=SHORT, dot=SHORT, quit=SHORT)
ADDRESSES = tuple(EmailAddress(name, "example.org") for name in ("ada", "bob", "eve"))
LOGINS: tuple[dict[str, Any], ...] = (
    {},
    {"username": "u", "password": "p4ssw0rd"},
    {"username": "u", "access_token": lambda: "t0ken"},
)
MECHANISMS = (("PLAIN", "XOAUTH2"), ("LOGIN",), ("X",))


def run(octets: bytes) -> None:
    """A few mails over one connection after the other."""
    strays = asyncio.run(_talk(Octets(octets)))
    assert strays == [], "an error that nobody was told of"


async def _talk(source: Octets) -> list[Any]:
    strays: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: strays.append(context))
    tls, login = source.choice((TlsMode.NONE, TlsMode.NONE, TlsMode.STARTTLS)), source.choice(LOGINS)
    offered = Offered(
        pipelining=source.chance(), starttls=tls is TlsMode.STARTTLS, auth=source.choice(MECHANISMS)
    )
    people = [ADDRESSES[: 1 + source.number(3)] for _ in range(1 + source.number(3))]
    async with ScriptedSmtpServer(list(_rules(source)), offered, _contexts()[0]) as server:
        sender = PooledSmtpSender(
            RelayConfig(
                host=server.host,
                port=server.port,
                tls=tls,
                tls_context=_contexts()[1],
                patience=PATIENCE,
                pool=PoolLimits(connections=1, pause=SHORT),
                **(login if tls is TlsMode.STARTTLS else {}),
            )
        )
        sends = [
            sender.send(Envelope(ADDRESSES[0], those), b"\r\nHello\r\n", lambda: None) for those in people
        ]
        for receipt, those in zip(await asyncio.gather(*sends), people, strict=True):
            _check(receipt, len(those))
        await sender.aclose()
    return strays


def _rules(source: Octets) -> Iterator[Rule]:
    def distorted(usual: bytes) -> list[Output]:
        kind = source.number(16)
        changes: dict[int, list[Output]] = {
            10: [source.some(60)] if kind == 10 else [],
            11: [source.some(60), usual] if kind == 11 else [],
            12: [usual, source.some(60)] if kind == 12 else [],
            13: [usual, usual],
            14: [usual, Deed.CLOSE],
            15: [Deed.RESET],
        }
        return changes.get(kind, [usual])

    for moment in Moment:
        if moment is not Moment.GONE:
            yield Rule(moment, distorted)


def _check(receipt: Receipt, recipients: int) -> None:
    assert len(receipt.verdicts) == recipients
    for verdict in receipt.verdicts:
        assert not verdict.accepted or verdict.stage is Stage.DOT
        assert not verdict.ambiguous or verdict.stage is Stage.DOT
        assert "p4ssw0rd" not in verdict.detail


@functools.cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    return server_context(authority, "127.0.0.1"), client_context(authority)


SMALL = tuple(bytes((kind,)) for kind in range(10, 16))
RELAY = Target(
    "relay",
    run,
    (*WORDS, *SMALL, b"250-AUTH PLAIN\r\n", b"220 \r\n", b"334 \r\n", b"235 \r\n"),
    (b"", b"\2\1\1\0\1\1"),
)
