"""TLS is required and verified, a password never travels in clear, and nothing injected is believed."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from galaxy_mail.adapters.smtp import Patience, RelayConfig, TlsMode
from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Blame, Fault, Receipt, Signal, SmtpReply, Stage
from galaxy_mail.testing.smtp_rules import (
    Moment,
    Rule,
    close,
    garbage,
    hang,
    inject_after_starttls,
    reply,
    reset,
    twice,
)
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.certificates import client_context, expired_context, server_context
from tests.adapters.smtp.world import HASTY, LARGE, MESSAGE, TO_ADA, open_gate, sending_to

AUTHORITY = trustme.CA(key_type=trustme.KeyType.ECDSA)
STRANGER = trustme.CA(key_type=trustme.KeyType.ECDSA)
MODES = pytest.mark.parametrize("mode", [TlsMode.IMPLICIT, TlsMode.STARTTLS])
LOGIN: dict[str, Any] = {"username": "galaxy", "password": "p4ssw0rd"}


def secured(
    mode: TlsMode,
    *rules: Rule,
    context: ssl.SSLContext | None = None,
    auth: tuple[str, ...] = (),
    starttls: bool = True,
) -> ScriptedSmtpServer:
    """A server with TLS."""
    return ScriptedSmtpServer(
        rules,
        Offered(starttls=starttls and mode is TlsMode.STARTTLS, auth=auth),
        context or server_context(AUTHORITY, "localhost"),
        implicit_tls=mode is TlsMode.IMPLICIT,
    )


async def one_mail(
    server: ScriptedSmtpServer, mode: TlsMode, message: bytes = MESSAGE, **changes: Any
) -> Receipt:
    """The receipt of one mail by a client that trusts AUTHORITY."""
    settings = {"host": "localhost", "tls": mode, "tls_context": client_context(AUTHORITY)} | changes
    async with server, sending_to(server, **settings) as sender:
        return await sender.send(TO_ADA, message, open_gate)


@MODES
async def test_mail_goes_over_verified_tls(mode: TlsMode) -> None:
    """A good certificate for the right name is enough, and EHLO is said again inside."""
    server = secured(mode)
    receipt = await one_mail(server, mode)
    assert receipt.verdict.accepted
    assert [copy.octets for copy in server.copies] == [MESSAGE]
    assert len(server.ledger.said("EHLO")) == (2 if mode is TlsMode.STARTTLS else 1)


async def test_a_ca_file_is_trusted(tmp_path: Path) -> None:
    """Where no context is given, the system's certificates and ``ca_file`` count."""
    pem = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(pem))
    receipt = await one_mail(secured(TlsMode.STARTTLS), TlsMode.STARTTLS, tls_context=None, ca_file=pem)
    assert receipt.verdict.accepted


@MODES
@pytest.mark.parametrize("flaw", ["self-signed", "expired", "wrong host"])
async def test_a_bad_certificate_stops_everything(mode: TlsMode, flaw: str, tmp_path: Path) -> None:
    """Nobody's, expired, or another host's: our configuration's trouble, and nothing but EHLO and STARTTLS is said."""
    pem = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(pem))
    context = {
        "self-signed": lambda: server_context(STRANGER, "localhost"),
        "expired": lambda: expired_context(AUTHORITY, tmp_path),
        "wrong host": lambda: server_context(AUTHORITY, "mail.example.org"),
    }[flaw]()
    server = secured(mode, context=context, auth=("PLAIN",))
    receipt = await one_mail(server, mode, tls_context=None, ca_file=pem, **LOGIN)
    assert receipt.verdict == classify(Stage.TLS, Fault.TLS_FAILED)
    assert receipt.verdict.blame is Blame.CONFIGURATION
    assert [line.split()[0] for _, line in server.ledger.commands] == (
        [b"EHLO", b"STARTTLS"] if mode is TlsMode.STARTTLS else []
    )


async def test_the_system_does_not_trust_a_stranger() -> None:
    """By default the certificate is verified, with no word in the settings."""
    receipt = await one_mail(secured(TlsMode.STARTTLS), TlsMode.STARTTLS, tls_context=None)
    assert receipt.verdict == classify(Stage.TLS, Fault.TLS_FAILED)


async def test_starttls_that_is_not_offered_is_never_done_without() -> None:
    """No STARTTLS in EHLO's reply: nothing is sent in clear."""
    server = secured(TlsMode.STARTTLS, starttls=False)
    receipt = await one_mail(server, TlsMode.STARTTLS)
    assert receipt.verdict == classify(Stage.TLS, Fault.STARTTLS_MISSING)
    assert server.ledger.said("MAIL") == []


@pytest.mark.parametrize(
    "rule, signal",
    [
        (reply(Moment.STARTTLS, 502, "5.5.1 no"), SmtpReply(502, "5.5.1 no")),
        (reply(Moment.STARTTLS, 454, "4.7.0 later"), SmtpReply(454, "4.7.0 later")),
        (reply(Moment.STARTTLS, 250, "sure"), SmtpReply(250, "sure")),
        (close(Moment.STARTTLS), Fault.CLOSED),
        (reset(Moment.STARTTLS), Fault.CLOSED),
        (garbage(Moment.STARTTLS), Fault.TLS_FAILED),
        (hang(Moment.STARTTLS), Fault.TIMEOUT),
    ],
    ids=["502", "454", "250", "close", "reset", "garbage", "hang"],
)
async def test_whatever_answers_starttls_but_220_stops_everything(rule: Rule, signal: Signal) -> None:
    """And never in clear."""
    server = secured(TlsMode.STARTTLS, rule)
    receipt = await one_mail(server, TlsMode.STARTTLS, patience=Patience(command=HASTY))
    assert receipt.verdict == classify(Stage.TLS, signal)
    assert server.ledger.said("MAIL") == []


@pytest.mark.parametrize("injected", [b"250-x\r\n250 AUTH PLAIN\r\n", b"250 PIPELINING\r\n", b"2", b"\n"])
async def test_what_is_injected_behind_the_220_is_refused(injected: bytes) -> None:
    """A stranger on the path who speaks before TLS does is found out (CVE-2011-0411), and alarms like a bad certificate."""
    server = secured(TlsMode.STARTTLS, inject_after_starttls(injected))
    receipt = await one_mail(server, TlsMode.STARTTLS)
    assert receipt.verdict == classify(Stage.TLS, Fault.TLS_FAILED)
    assert server.ledger.said("MAIL") == []


async def test_tls_spoken_to_a_server_in_clear_fails() -> None:
    """The wrong port is a configuration's trouble."""
    server = ScriptedSmtpServer()
    receipt = await one_mail(server, TlsMode.IMPLICIT)
    assert receipt.verdict == classify(Stage.TLS, Fault.TLS_FAILED)


@MODES
async def test_a_large_body_goes_over_tls_in_blocks(mode: TlsMode) -> None:
    """20 MB arrive; and where the server reads no more, the dot is held back."""
    server = secured(mode)
    assert (await one_mail(server, mode, LARGE)).verdict.accepted
    assert server.copies[0].octets == LARGE
    receipt = await one_mail(secured(mode, hang(Moment.BODY)), mode, LARGE, patience=Patience(block=HASTY))
    assert receipt.verdict == classify(Stage.BODY, Fault.TIMEOUT)


# --- AUTH -------------------------------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize(
    "offered, first",
    [(("LOGIN", "PLAIN"), b"AUTH PLAIN "), (("LOGIN",), b"AUTH LOGIN "), (("X", "PLAIN"), b"AUTH PLAIN ")],
)
async def test_one_mechanism_is_chosen(mode: TlsMode, offered: tuple[str, ...], first: bytes) -> None:
    """PLAIN where it is offered, else LOGIN; inside TLS both are alike."""
    server = secured(mode, auth=offered)
    assert (await one_mail(server, mode, **LOGIN)).verdict.accepted
    said = [line for _, line in server.ledger.commands if b"AUTH" in line]
    assert len(said) == 1
    assert said[0].startswith(first)
    secret = b"\0galaxy\0p4ssw0rd" if first == b"AUTH PLAIN " else b"p4ssw0rd"
    assert any(line.endswith(base64.b64encode(secret)) for _, line in server.ledger.commands)


async def test_a_login_comes_after_tls_and_after_a_second_ehlo() -> None:
    """The order in which a password is safe, in one conversation."""
    server = secured(TlsMode.STARTTLS, auth=("PLAIN",))
    assert (await one_mail(server, TlsMode.STARTTLS, **LOGIN)).verdict.accepted
    said = [line.split()[0] for _, line in server.ledger.commands]
    assert said[:5] == [b"EHLO", b"STARTTLS", b"EHLO", b"AUTH", b"MAIL"]


async def test_a_login_that_is_offered_in_clear_is_not_taken() -> None:
    """A stranger on the path who takes STARTTLS out of the offer gets neither mail nor password."""
    server = secured(TlsMode.STARTTLS, starttls=False, auth=("PLAIN", "LOGIN", "XOAUTH2"))
    receipt = await one_mail(server, TlsMode.STARTTLS, **LOGIN)
    assert receipt.verdict == classify(Stage.TLS, Fault.STARTTLS_MISSING)
    assert server.ledger.said("AUTH") == []


async def test_what_was_offered_in_clear_counts_for_nothing() -> None:
    """Who offers a login before TLS and none inside it offers none (RFC 3207 section 4.2)."""
    server = secured(TlsMode.STARTTLS, reply(Moment.EHLO, 250, "scripted.example", nth=2), auth=("PLAIN",))
    receipt = await one_mail(server, TlsMode.STARTTLS, **LOGIN)
    assert receipt.verdict == classify(Stage.AUTH, Fault.AUTH_MISSING)
    assert server.ledger.said("AUTH") == []


async def test_no_password_is_told_to_a_server_that_is_out_of_step() -> None:
    """A reply too many to EHLO ends the connection before anything else is said on it."""
    server = secured(TlsMode.STARTTLS, twice(Moment.EHLO, nth=2), auth=("PLAIN",))
    receipt = await one_mail(server, TlsMode.STARTTLS, **LOGIN)
    assert receipt.verdict == classify(Stage.EHLO, Fault.GARBAGE)
    assert server.ledger.said("AUTH") == []


@pytest.mark.parametrize("offered", [(), ("CRAM-MD5", "XOAUTH2")])
async def test_without_a_mechanism_that_we_know_nothing_is_sent(offered: tuple[str, ...]) -> None:
    """A login was asked for, so mail without it would be another sender's."""
    server = secured(TlsMode.STARTTLS, auth=offered)
    receipt = await one_mail(server, TlsMode.STARTTLS, **LOGIN)
    assert receipt.verdict == classify(Stage.AUTH, Fault.AUTH_MISSING)
    assert server.ledger.said("MAIL") == []


@pytest.mark.parametrize("code, text", [(535, "5.7.8 bad credentials"), (454, "4.7.0 later"), (421, "bye")])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_a_refused_login_is_not_tried_another_way(mechanism: str, code: int, text: str) -> None:
    """One mechanism, one attempt: each more is one step nearer to a locked account."""
    server = secured(
        TlsMode.STARTTLS,
        reply(Moment.AUTH, code, text),
        auth=("LOGIN", "PLAIN") if mechanism == "PLAIN" else ("LOGIN",),
    )
    receipt = await one_mail(server, TlsMode.STARTTLS, **LOGIN)
    assert receipt.verdict == classify(Stage.AUTH, SmtpReply(code, text))
    assert len(server.ledger.said("AUTH")) == 1
    assert server.ledger.said("MAIL") == []


@pytest.mark.parametrize(
    "rule, fault",
    [
        (close(Moment.AUTH), Fault.CLOSED),
        (garbage(Moment.AUTH), Fault.GARBAGE),
        (hang(Moment.AUTH), Fault.TIMEOUT),
    ],
    ids=["close", "garbage", "hang"],
)
async def test_a_login_that_is_not_answered_is_the_transports_trouble(rule: Rule, fault: Fault) -> None:
    """Not the credentials'."""
    server = secured(TlsMode.STARTTLS, rule, auth=("PLAIN",))
    receipt = await one_mail(server, TlsMode.STARTTLS, patience=Patience(command=HASTY), **LOGIN)
    assert receipt.verdict == classify(Stage.AUTH, fault)


def test_a_password_without_tls_is_no_configuration() -> None:
    """AUTH never goes over plaintext, and the error names the setting and not the password."""
    with pytest.raises(InvalidSettings, match="never sent in clear") as caught:
        RelayConfig(host="relay.example", port=25, tls=TlsMode.NONE, **LOGIN)
    assert "p4ssw0rd" not in str(caught.value)


def test_no_repr_shows_a_password() -> None:
    """Of the configuration, or of what holds it."""
    assert "p4ssw0rd" not in repr(RelayConfig(host="relay.example", port=25, **LOGIN))
