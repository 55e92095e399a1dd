"""Logging in (RFC 4954): one mechanism, once. What is refused is not tried another way, and never told with the secret."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
from base64 import b64encode
from collections.abc import Iterator

import aiosmtplib
from aiosmtplib.auth import auth_plain_encode, auth_xoauth2_encode

from galaxy_mail.adapters.smtp.faults import HandshakeFailed
from galaxy_mail.adapters.smtp.relay import AccessToken, RelayConfig
from galaxy_mail.adapters.smtp.tap import Tap
from galaxy_mail.domain.redaction import REDACTED
from galaxy_mail.domain.verdicts import Fault, SmtpReply, Stage

_log = logging.getLogger("galaxy_mail.smtp")

# A little more than RFC 6750 section 2.1 allows, and nothing that XOAUTH2 could misread.
_TOKEN = re.compile(r"[!-~]+")
_TELLING = 8  # so many characters of a secret tell something of it


class Login:
    """One login on one connection. With an access token the mechanism is XOAUTH2; with a password PLAIN, else LOGIN."""

    def __init__(self, config: RelayConfig) -> None:
        self._config = config
        self._told: tuple[str, ...] = ()  # each form in which the server has been told the secret

    @property
    def wanted(self) -> bool:
        """Whether the configuration names a user."""
        return self._config.username is not None

    async def run(self, client: aiosmtplib.SMTP, offered: frozenset[str], tap: Tap) -> None:
        """Log in by the mechanism that fits.

        Raises:
            HandshakeFailed: if the server offers none, or nobody gives us a token.
            aiosmtplib.SMTPException, OSError: as the server and the wire will have it.
        """
        username, password = self._config.username or "", self._config.password or ""
        if self._config.access_token:
            _check("XOAUTH2" in offered)
            token = await self._token(self._config.access_token)
            self._told = token, auth_xoauth2_encode(username, token).decode()
            # A refusal comes as a challenge; an empty line asks for its code (aiosmtplib says it).
            tap.expect(continued=True)
            await client.auth_xoauth2(username, token)
            return
        self._told = (
            password,
            b64encode(password.encode()).decode(),
            auth_plain_encode(username, password).decode(),
        )
        if "PLAIN" in offered:
            tap.expect()
            await client.auth_plain(username, password)
        else:
            _check("LOGIN" in offered)
            tap.expect(continued=True)
            await client.auth_login(username, password)

    def discreet(self, reply: SmtpReply) -> SmtpReply:
        """The reply without words that share something with the secret: some servers repeat a line that they refuse."""
        if not any(_shared(reply.text, secret) for secret in self._told):
            return reply
        words = re.split(r"(\s+)", reply.text)
        shown = [REDACTED if any(_shared(word, secret) for secret in self._told) else word for word in words]
        return SmtpReply(reply.code, "".join(shown))

    async def _token(self, ask: AccessToken) -> str:
        """The host's callback is asked for each login: a token lives for an hour or so.

        What it raises is told by its class alone, for a text may repeat the token or what it was exchanged for.
        """
        try:
            async with asyncio.timeout(self._config.patience.token):
                token: object = ask()
                if inspect.isawaitable(token):
                    token = await token
            if isinstance(token, str) and _TOKEN.fullmatch(token):
                return token
            problem = "it gave no token"
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            problem = type(error).__name__  # its own task was cancelled, not ours
        except Exception as error:  # noqa: BLE001 - it is the host's code
            problem = type(error).__name__
        _log.warning("access_token failed, so there is no login: %s", problem)
        raise HandshakeFailed(Stage.AUTH, Fault.TOKEN_MISSING)


def _check(mechanism_offered: bool) -> None:
    if not mechanism_offered:
        raise HandshakeFailed(Stage.AUTH, Fault.AUTH_MISSING)


def _shared(text: str, secret: str) -> bool:
    return bool(secret) and any(piece in text for piece in _pieces(secret))


def _pieces(secret: str) -> Iterator[str]:
    """The runs of a secret that a text must not hold; of a short one, all of it."""
    for start in range(max(1, len(secret) - _TELLING + 1)):
        yield secret[start : start + _TELLING]
