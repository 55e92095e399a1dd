"""What the tests of this folder share: addresses, a message, a gate, and senders for a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from galaxy_mail.adapters.smtp import Patience, PooledSmtpSender, PoolLimits, RelayConfig, TlsMode
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.verdicts import Envelope
from galaxy_mail.testing.smtp_server import ScriptedSmtpServer

SENDER = EmailAddress("no-reply", "example.org")
ADA, BOB, EVE = (EmailAddress(name, "example.org") for name in ("ada", "bob", "eve"))
TO_ADA = Envelope(SENDER, (ADA,))
MESSAGE = b"Message-ID: <1@example.org>\r\nSubject: hello\r\n\r\nHello.\r\n"
LARGE = MESSAGE + b"y" * 76 * 1 + b"\r\n" + (b"z" * 76 + b"\r\n") * 256_000  # 20 MB: more than sockets hold

HASTY = 0.5
"""Seconds after which a server that hangs is given up: long for a machine, short for a person."""


def open_gate() -> None:
    """A gate that stands open."""


def config_for(server: ScriptedSmtpServer, **changes: Any) -> RelayConfig:
    """The relay that ``server`` is: in clear, unless told otherwise."""
    return attrs.evolve(RelayConfig(host=server.host, port=server.port, tls=TlsMode.NONE), **changes)


def hasty(**changes: float) -> Patience:
    """Little patience in the steps that are named, the usual in all others."""
    return Patience(**changes)


@asynccontextmanager
async def sending_to(server: ScriptedSmtpServer, **changes: Any) -> AsyncIterator[PooledSmtpSender]:
    """A sender for ``server``, closed in the end."""
    sender = PooledSmtpSender(config_for(server, **changes))
    try:
        yield sender
    finally:
        sender.abort()
        await sender.aclose()


def one_connection(**changes: Any) -> PoolLimits:
    """A pool of one."""
    return attrs.evolve(PoolLimits(connections=1), **changes)
