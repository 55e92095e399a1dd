"""Logging in: an access token from the host, asked for each login; one mechanism, once; and no secret told back."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from galaxy_mail.adapters.smtp import (
    AccessToken,
    Patience,
    PooledSmtpSender,
    PoolLimits,
    RelayConfig,
    TlsMode,
)
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Blame, Fault, Signal, SmtpReply, Stage
from galaxy_mail.testing.smtp_rules import Moment, Rule, close, hang, reply, say, twice
from tests.adapters.smtp.certificates import client_context
from tests.adapters.smtp.test_tls import AUTHORITY, LOGIN, MODES, one_mail, secured
from tests.adapters.smtp.world import HASTY, MESSAGE, TO_ADA, open_gate, sending_to

TOKEN = "ya29.t0ken-of_the~host+/=="
USER = "galaxy@example.org"
INITIAL = b"user=galaxy@example.org\x01auth=Bearer " + TOKEN.encode() + b"\x01\x01"
CHALLENGE = base64.b64encode(json.dumps({"status": "401", "schemes": "Bearer"}).encode()).decode()


def plain_token() -> str:
    """A token at once."""
    return TOKEN


async def awaited_token() -> str:
    """A token that takes a while."""
    await asyncio.sleep(0)
    return TOKEN


def by(token: AccessToken) -> dict[str, Any]:
    """A configuration that logs in by this token."""
    return {"username": USER, "access_token": token}


# --- by token ---------------------------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("token", [plain_token, awaited_token])
async def test_a_token_logs_in_by_xoauth2(mode: TlsMode, token: AccessToken) -> None:
    """As Google and Microsoft write it down, in one line, whatever else is offered."""
    server = secured(mode, auth=("PLAIN", "XOAUTH2", "LOGIN"))
    assert (await one_mail(server, mode, **by(token))).verdict.accepted
    assert server.ledger.said("AUTH") == [b"AUTH XOAUTH2 " + base64.b64encode(INITIAL)]


async def test_each_login_asks_for_a_token() -> None:
    """Tokens live for an hour: no connection is opened with one that was asked for another."""
    tokens = iter(["first", "second", "third"])
    server = secured(TlsMode.IMPLICIT, auth=("XOAUTH2",))
    settings = by(lambda: next(tokens)) | {"host": "localhost", "pool": PoolLimits(connections=1, mails=1)}
    async with (
        server,
        sending_to(server, tls=TlsMode.IMPLICIT, tls_context=client_context(AUTHORITY), **settings) as sender,
    ):
        for _ in range(2):
            assert (await sender.send(TO_ADA, MESSAGE, open_gate)).verdict.accepted
    said = [base64.b64decode(line.split()[-1]) for line in server.ledger.said("AUTH")]
    assert [line.split(b"Bearer ")[1] for line in said] == [b"first\x01\x01", b"second\x01\x01"]
    assert next(tokens) == "third"


async def test_a_challenge_is_answered_with_an_empty_line() -> None:
    """The refusal of a token comes as a 334; its code is what follows our empty line."""
    rules = reply(Moment.AUTH, 334, CHALLENGE, nth=1), reply(Moment.AUTH, 535, "5.7.8 bad token", nth=2)
    server = secured(TlsMode.STARTTLS, *rules, auth=("XOAUTH2", "PLAIN"))
    receipt = await one_mail(server, TlsMode.STARTTLS, **by(plain_token))
    assert receipt.verdict == classify(Stage.AUTH, SmtpReply(535, "5.7.8 bad token"))
    assert [line for _, line in server.ledger.commands][-2:] == [
        b"AUTH XOAUTH2 " + base64.b64encode(INITIAL),
        b"",
    ]


@pytest.mark.parametrize(
    "rules, signal",
    [
        ([reply(Moment.AUTH, 535, "5.7.8 no")], SmtpReply(535, "5.7.8 no")),
        ([reply(Moment.AUTH, 454, "4.7.0 later")], SmtpReply(454, "4.7.0 later")),
        ([reply(Moment.AUTH, 334, CHALLENGE)], SmtpReply(334, CHALLENGE)),
        ([reply(Moment.AUTH, 334, CHALLENGE, nth=1), close(Moment.AUTH)], Fault.CLOSED),
        ([reply(Moment.AUTH, 334, CHALLENGE, nth=1), hang(Moment.AUTH)], Fault.TIMEOUT),
        ([twice(Moment.AUTH)], Fault.GARBAGE),
        ([say(Moment.AUTH, b"334 \r\n334 \r\n235 in\r\n")], Fault.GARBAGE),
        ([say(Moment.AUTH, b"235 in\r\n334 \r\n")], Fault.GARBAGE),
    ],
    ids=[
        "535",
        "454",
        "334 for ever",
        "334 and close",
        "334 and hang",
        "235 twice",
        "all at once",
        "334 behind",
    ],
)
async def test_a_refused_token_is_not_tried_another_way(rules: list[Rule], signal: Signal) -> None:
    """Nor a second time on this connection, though PLAIN is offered; and out of step no mail is begun."""
    server = secured(TlsMode.STARTTLS, *rules, auth=("XOAUTH2", "PLAIN"))
    receipt = await one_mail(server, TlsMode.STARTTLS, patience=Patience(command=HASTY), **by(plain_token))
    assert receipt.verdict == classify(Stage.AUTH, signal)
    assert len(server.ledger.said("AUTH")) == 1
    assert server.ledger.said("MAIL") == []


async def test_a_server_without_xoauth2_is_told_no_token() -> None:
    """Nor is anybody asked for one."""
    server = secured(TlsMode.STARTTLS, auth=("PLAIN", "LOGIN"))
    tokens = iter([TOKEN])
    receipt = await one_mail(server, TlsMode.STARTTLS, **by(lambda: next(tokens)))
    assert receipt.verdict == classify(Stage.AUTH, Fault.AUTH_MISSING)
    assert next(tokens) == TOKEN
    assert server.ledger.said("AUTH") == []


# --- no token ---------------------------------------------------------------------------------------------------------


def raising(error: BaseException) -> Callable[[], str]:
    """A callback that fails."""

    def fail() -> str:
        raise error

    return fail


async def never() -> str:
    """A callback that hangs."""
    await asyncio.get_running_loop().create_future()
    return TOKEN


BROKEN: dict[str, Any] = {
    "raises": raising(RuntimeError(f"{TOKEN} is stale")),
    "ends the iteration": lambda: next(iter(())),
    "was cancelled": raising(asyncio.CancelledError(TOKEN)),
    "timed out": raising(TimeoutError(TOKEN)),
    "hangs": never,
    "None": lambda: None,
    "octets": TOKEN.encode,
    "empty": str,
    "two words": lambda: f"Bearer {TOKEN}",
    "a second field": lambda: f"{TOKEN}\x01user=eve",
    "a second line": lambda: f"{TOKEN}\r\nMAIL FROM:<eve@example.org>",
    "not ASCII": lambda: f"{TOKEN}é",
}


@pytest.mark.parametrize("callback", BROKEN.values(), ids=BROKEN)
async def test_without_a_token_there_is_no_login(callback: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Our configuration's trouble, for the moment; and what the callback said, or gave, is in no log."""
    server = secured(TlsMode.STARTTLS, auth=("XOAUTH2", "PLAIN"))
    caplog.set_level("DEBUG")
    receipt = await one_mail(server, TlsMode.STARTTLS, patience=Patience(token=HASTY), **by(callback))
    assert receipt.verdict == classify(Stage.AUTH, Fault.TOKEN_MISSING)
    assert receipt.verdict.blame is Blame.CONFIGURATION
    assert not receipt.verdict.final
    assert server.ledger.said("AUTH") == []
    assert "access_token failed" in caplog.text
    assert TOKEN not in caplog.text


async def test_who_waits_for_a_token_can_be_stopped(caplog: pytest.LogCaptureFixture) -> None:
    """Being aborted cancels the callback, which is no failure of it; the mail learns that there is no connection."""
    asked, ended = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        asked.set()
        try:
            return await never()
        finally:
            ended.set()

    server = secured(TlsMode.STARTTLS, auth=("XOAUTH2",))
    settings = by(slow) | {
        "host": "localhost",
        "tls": TlsMode.STARTTLS,
        "tls_context": client_context(AUTHORITY),
    }
    async with server, sending_to(server, **settings) as sender:
        sending = asyncio.create_task(sender.send(TO_ADA, MESSAGE, open_gate))
        await asked.wait()
        sender.abort()
        assert (await sending).verdict == classify(Stage.CONNECT, Fault.CLOSED)
        await ended.wait()
        await sender.aclose()
    assert caplog.text == ""


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_repr_shows_where_a_token_comes_from() -> None:
    """A callback may be a partial with a client secret in it."""
    config = RelayConfig(host="relay.example", port=587, **by(plain_token))
    assert "plain_token" not in repr(config) + repr(PooledSmtpSender(config))


PLAIN = base64.b64encode(b"\0galaxy\0p4ssw0rd").decode()
WHOLE = base64.b64encode(INITIAL).decode()
FORMS = ("p4ssw0rd", base64.b64encode(b"p4ssw0rd").decode(), PLAIN, TOKEN, WHOLE)
ECHOES = [
    *[
        ("PLAIN", LOGIN, echo)
        for echo in (*FORMS[:3], f'"AUTH PLAIN {PLAIN}"', f"AUTH PLAIN {PLAIN[:20]}...")
    ],
    *[("LOGIN", LOGIN, echo) for echo in (*FORMS[:2], f"<{FORMS[1]}>")],
    *[
        ("XOAUTH2", by(plain_token), echo)
        for echo in (*FORMS[3:], f"XOAUTH2 {WHOLE[:40]}...", f"Bearer {TOKEN}^A")
    ],
]


@pytest.mark.parametrize("mechanism, settings, echo", ECHOES)
@pytest.mark.parametrize("code", [500, 535, 421, 454])
async def test_a_server_that_repeats_the_secret_is_not_quoted(
    mechanism: str, settings: dict[str, Any], echo: str, code: int
) -> None:
    """Some answer ``unrecognized: "AUTH PLAIN …"``: what is kept of that has the code, the other words, and no secret."""
    said = f"{code // 100}.5.1 Command unrecognized: {echo} !"
    server = secured(TlsMode.STARTTLS, reply(Moment.AUTH, code, said), auth=(mechanism,))
    detail = (await one_mail(server, TlsMode.STARTTLS, **settings)).verdict.detail
    assert detail.startswith(f"{code // 100}.5.1 Command unrecognized: ")
    assert detail.endswith("[redacted] !")
    assert not any(form[at : at + 8] in detail for form in FORMS for at in range(len(form) - 7))


async def test_what_shares_nothing_with_the_secret_is_quoted() -> None:
    """The usual refusals tell a person where to look."""
    said = "5.7.8 Username and Password not accepted: https://support.example.org/?p=BadCredentials d9443c01a7336-gsmtp"
    server = secured(TlsMode.STARTTLS, reply(Moment.AUTH, 535, said), auth=("PLAIN",))
    assert (await one_mail(server, TlsMode.STARTTLS, **LOGIN)).verdict.detail == said
