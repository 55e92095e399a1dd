"""The RelayProbe on SMTP: the handshake of a worker's connection, a look at its certificate, and QUIT."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from contextlib import suppress
from datetime import UTC, datetime

import attrs

from galaxy_mail.adapters.smtp.faults import HandshakeFailed
from galaxy_mail.adapters.smtp.handshake import shake_hands
from galaxy_mail.adapters.smtp.relay import RelayConfig
from galaxy_mail.domain.health import RelayReport


class SmtpRelayProbe:
    """Looks at the relay of ``config``."""

    def __init__(self, config: RelayConfig) -> None:
        self._config = config

    async def look(self) -> RelayReport:
        """See ``RelayProbe.look``.

        Raises:
            InvalidSettings: if the certificates to trust cannot be read.
        """
        report = RelayReport(f"{self._config.host}:{self._config.port}")
        try:
            transport, _ = await shake_hands(self._config, self._config.build_tls_context())
        except HandshakeFailed as failed:
            trouble = self._config.verdicts.classify(failed.stage, failed.signal)
            return attrs.evolve(report, trouble=trouble, why=failed.why)
        try:
            return self._seen(report, transport)
        finally:
            await _leave(transport, self._config.patience.quit)

    def _seen(self, report: RelayReport, transport: asyncio.Transport) -> RelayReport:
        tls = transport.get_extra_info("ssl_object")
        certificate = tls and tls.getpeercert()  # empty, where it was not verified
        return attrs.evolve(
            report,
            local=_is_local(transport),
            tls=tls and tls.version(),
            certificate_ends=_ends(certificate["notAfter"]) if certificate else None,
            logged_in=self._config.username is not None,
        )


class _Farewell(asyncio.Protocol):
    """Notices when the connection is gone."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is."""
        self.gone.set()


async def _leave(transport: asyncio.Transport, patience: float) -> None:
    """Say QUIT and wait for the server to close, though not for ever."""
    farewell = _Farewell()
    transport.set_protocol(farewell)
    transport.write(b"QUIT\r\n")
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await farewell.gone.wait()
    finally:
        transport.abort()


def _is_local(transport: asyncio.Transport) -> bool:
    peer = transport.get_extra_info("peername") or ("",)
    try:
        return ipaddress.ip_address(peer[0].partition("%")[0]).is_loopback
    except ValueError:
        return False


def _ends(not_after: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC)
