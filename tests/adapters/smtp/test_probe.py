"""The probe of a relay keeps the laws of its port, and sees TLS, its certificate and every way to fail."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from galaxy_mail.adapters.smtp import Patience, SmtpRelayProbe, TlsMode
from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.health import RelayReport
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Fault, Stage
from galaxy_mail.testing.contracts.relay_probe import HUSHED, RelayProbeContract
from galaxy_mail.testing.smtp_rules import Moment, close, hang, reply, silent
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.certificates import client_context, expired_context, server_context
from tests.adapters.smtp.test_tls import AUTHORITY, MODES, secured
from tests.adapters.smtp.world import HASTY, config_for

LOGIN = {"username": "galaxy", "password": HUSHED}
ENCODED = base64.b64encode(f"\0galaxy\0{HUSHED}".encode()).decode()


class Harness:
    """A probe of a scripted server with TLS and a login."""

    def __init__(self, server: ScriptedSmtpServer) -> None:
        self.server = server
        self.probe = probing(server, tls=TlsMode.STARTTLS, **LOGIN)

    def refuse_login(self) -> None:
        """By a rule at AUTH."""
        self.server.rules.append(reply(Moment.AUTH, 535, f"5.7.8 {HUSHED} and {ENCODED} are refused"))

    def go_away(self) -> None:
        """By a rule at the greeting."""
        self.server.rules.append(close(Moment.GREETING))

    def mails_begun(self) -> int:
        """From the ledger."""
        return len(self.server.ledger.said("MAIL"))


class TestSmtpRelayProbe(RelayProbeContract):
    """Against a real SMTP conversation."""

    @pytest.fixture
    async def harness(self) -> AsyncIterator[Harness]:
        """A fresh server and probe."""
        async with secured(TlsMode.STARTTLS, auth=("PLAIN",)) as server:
            yield Harness(server)


def probing(server: ScriptedSmtpServer, **changes: Any) -> SmtpRelayProbe:
    """A probe of ``server`` that trusts AUTHORITY."""
    trusted = (
        {} if changes.get("tls", TlsMode.NONE) is TlsMode.NONE else {"tls_context": client_context(AUTHORITY)}
    )
    return SmtpRelayProbe(config_for(server, **({"host": "localhost"} | trusted | changes)))


@MODES
async def test_a_sound_relay_is_described(mode: TlsMode) -> None:
    """Where it is, which TLS, until when its certificate is good; and it is left with QUIT."""
    async with secured(mode) as server:
        report = await probing(server, tls=mode).look()
        await server.wait_for(Moment.GONE)
        assert server.ledger.said("QUIT") == [b"QUIT"]
    assert report.certificate_ends is not None
    assert report.certificate_ends > datetime.now(UTC) + timedelta(days=1)
    assert (report.relay, report.local, report.logged_in) == (f"localhost:{server.port}", True, False)
    assert (report.trouble, report.tls) == (None, "TLSv1.3")


async def test_a_relay_in_clear_is_told_as_that() -> None:
    """No TLS, no certificate."""
    async with ScriptedSmtpServer() as server:
        assert await probing(server, host="127.0.0.1").look() == RelayReport(
            f"127.0.0.1:{server.port}", local=True
        )


async def test_an_expired_certificate_is_trouble(tmp_path: Path) -> None:
    """The verdict that a mail would get."""
    async with secured(TlsMode.STARTTLS, context=expired_context(AUTHORITY, tmp_path)) as server:
        report = await probing(server, tls=TlsMode.STARTTLS).look()
    assert (report.trouble, report.why) == (classify(Stage.TLS, Fault.TLS_FAILED), "certificate has expired")


@MODES
async def test_a_certificate_of_a_stranger_is_named_so(mode: TlsMode) -> None:
    """In OpenSSL's words, whether TLS begins at once or later."""
    async with secured(mode) as server:
        report = await probing(server, tls=mode, tls_context=client_context(trustme.CA())).look()
    assert report.trouble == classify(Stage.TLS, Fault.TLS_FAILED)
    assert "certificate" in report.why


async def test_nobody_there_is_trouble() -> None:
    """And no exception; a closed port and an unknown name are told apart."""
    async with ScriptedSmtpServer() as server:
        pass
    there = await probing(server, host="127.0.0.1").look()
    assert (there.trouble, there.why) == (classify(Stage.CONNECT, Fault.UNREACHABLE), "Connection refused")
    nowhere = await probing(server, host="nowhere.invalid").look()
    assert nowhere.trouble == there.trouble
    assert "the name" in nowhere.why


async def test_certificates_that_cannot_be_read_are_the_settings_trouble(tmp_path: Path) -> None:
    """The error names the setting."""
    (tmp_path / "ca.pem").write_text("nothing")
    async with secured(TlsMode.STARTTLS) as server:
        probe = probing(server, tls=TlsMode.STARTTLS, tls_context=None, ca_file=tmp_path / "ca.pem")
        with pytest.raises(InvalidSettings, match="ca_file"):
            await probe.look()
        assert server.connections == 0


@pytest.mark.parametrize("rule", [hang(Moment.QUIT), silent(Moment.QUIT), close(Moment.QUIT)])
async def test_a_relay_that_does_not_say_goodbye_keeps_nobody(rule: Any) -> None:
    """It was ready for mail, whatever it does at QUIT; the connection is closed all the same."""
    async with ScriptedSmtpServer([rule], Offered()) as server:
        report = await probing(server, patience=Patience(quit=HASTY / 10)).look()
        server.release()
        await server.wait_for(Moment.GONE)
    assert report.trouble is None


async def test_a_good_certificate_of_the_wrong_host_is_trouble() -> None:
    """Its name is verified too."""
    async with secured(TlsMode.IMPLICIT, context=server_context(AUTHORITY, "mail.example.org")) as server:
        report = await probing(server, tls=TlsMode.IMPLICIT).look()
    assert report.trouble == classify(Stage.TLS, Fault.TLS_FAILED)
