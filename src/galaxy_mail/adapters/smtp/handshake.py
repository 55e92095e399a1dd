"""From nothing to a connection that is ready for mail: connect, greeting, EHLO, TLS, EHLO again, AUTH, by aiosmtplib.

A ``Tap`` on the wire counts replies against commands. So nothing that was injected (after the 220 to STARTTLS, say) is ever
taken for an answer, and no reply is on its way when our own session takes over the transport.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from typing import cast

import aiosmtplib

from galaxy_mail.adapters.smtp.envelopes import Offers
from galaxy_mail.adapters.smtp.faults import FOREIGN, HandshakeFailed, connect_failure, reason_of, signal_of
from galaxy_mail.adapters.smtp.login import Login
from galaxy_mail.adapters.smtp.relay import RelayConfig, TlsMode
from galaxy_mail.adapters.smtp.tap import Tap
from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage


async def shake_hands(
    config: RelayConfig, tls_context: ssl.SSLContext | None
) -> tuple[asyncio.Transport, Offers]:
    """A live transport and what the server offers on it; whoever gets it owns it.

    Raises:
        HandshakeFailed: with the stage and the signal; the connection is closed.
    """
    client = aiosmtplib.SMTP(
        hostname=config.host,
        port=config.port,
        local_hostname="localhost",  # never said: EHLO gets its own, and aiosmtplib would ask the name server for it
        timeout=config.patience.command,
        use_tls=config.tls is TlsMode.IMPLICIT,
        start_tls=False,
        tls_context=tls_context,
    )
    try:
        await client.connect(timeout=config.patience.connect)
    except FOREIGN as error:
        raise connect_failure(error) from None
    return await _Handshake(client, config).run()


class _Handshake:
    def __init__(self, client: aiosmtplib.SMTP, config: RelayConfig) -> None:
        self._client = client
        self._config = config
        self._stage = Stage.EHLO
        self._login = Login(config)
        self._tap = Tap(cast(asyncio.Protocol, client.protocol), self._transport)

    @property
    def _transport(self) -> asyncio.Transport:
        # aiosmtplib forgets it when it hears the end, which may be in the same turn of the loop as what came before it.
        self._check(self._client.transport is not None, Fault.CLOSED)
        return cast(asyncio.Transport, self._client.transport)

    async def run(self) -> tuple[asyncio.Transport, Offers]:
        transport = self._transport
        try:
            offers = await self._introduce()
            if self._config.tls is TlsMode.STARTTLS:
                await self._secure(offers)
                transport = self._transport
                # RFC 3207 section 4.2: what was offered in clear counts for nothing.
                offers = await self._introduce()
            if self._login.wanted:
                self._stage = Stage.AUTH
                await self._login.run(self._client, offers.auth, self._tap)
            self._check(self._tap.in_step and not transport.is_closing(), Fault.GARBAGE)
        except FOREIGN as error:
            transport.abort()
            raise HandshakeFailed(self._stage, self._signal(error), reason_of(error)) from None
        except BaseException:
            transport.abort()
            raise
        return transport, offers

    async def _introduce(self) -> Offers:
        self._stage = Stage.EHLO
        self._tap.expect()
        address = self._transport.get_extra_info("sockname", None) or ("127.0.0.1",)
        answer = await self._client.ehlo(hostname=self._config.local_hostname or own_name(address[0]))
        heard = b"" if self._tap.heard is None else self._tap.heard.octets
        text = heard.decode("utf-8", "replace")
        # A second greeting would have been kept by aiosmtplib, and taken for this answer.
        self._check(_first_line(text) == _first_line(answer.message), Fault.GARBAGE)
        return Offers.parse(text)

    async def _secure(self, offers: Offers) -> None:
        self._stage = Stage.TLS
        self._check(offers.starttls, Fault.STARTTLS_MISSING)
        self._tap.expect()
        await self._client.starttls()
        self._tap.sit_on(self._transport)

    def _check(self, condition: bool, fault: Fault) -> None:
        if not condition:
            raise HandshakeFailed(self._stage, fault)

    def _signal(self, error: BaseException) -> Signal:
        if self._tap.garbled:
            return Fault.TLS_FAILED if self._stage is Stage.TLS else Fault.GARBAGE
        signal, heard = signal_of(error), self._tap.heard
        if not isinstance(signal, SmtpReply):
            return signal
        out_of_step = heard is not None and heard.code != signal.code
        return Fault.GARBAGE if out_of_step else self._login.discreet(signal)


def own_name(address: str) -> str:
    """How we introduce ourselves: RFC 5321 section 4.1.4 wants a full name, or else the connection's own address."""
    if "." in (name := socket.gethostname()) and name.isascii():
        return name
    own = ipaddress.ip_address(address.partition("%")[0])
    return f"[IPv6:{own}]" if own.version == 6 else f"[{own}]"


def _first_line(text: str) -> bytes:
    return text.partition("\n")[0].strip().encode("ascii", "ignore")
