"""The relay as its URL says it.

``smtps://host``            TLS from the first byte (port 465)
``smtp://host``             STARTTLS required and verified (port 587)
``smtp://localhost``        plaintext, if no credentials are given: nothing leaves the machine (port 25)
``smtp://host?tls=none``    plaintext, because you say so; never with credentials
``smtp://localhost?tls=starttls``   STARTTLS even on this machine
``smtps://user@host``       a user without a password has an access token (OAuth 2.0), which the wiring must provide
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import attrs

from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.text import control_character


class Security(StrEnum):
    """How the connection is protected."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


_PORTS = {Security.IMPLICIT: 465, Security.STARTTLS: 587, Security.NONE: 25}


@attrs.frozen
class Relay:
    """Where and how to reach the SMTP server."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = attrs.field(default=None, repr=False)

    @property
    def loopback(self) -> bool:
        """Whether nothing said to it leaves this machine."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether ``host`` is ``localhost`` or a loopback address. Names below it are not: not every resolver keeps them here."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_relay(url: str) -> Relay:
    """Read an SMTP URL.

    Raises:
        InvalidSettings: naming every problem, without repeating the URL, since it may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        if port == 0:
            raise ValueError
    except ValueError:
        raise InvalidSettings(
            ["smtp_url: is not a URL, or its port is not a number from 1 to 65535"]
        ) from None
    problems = list(_problems(parts))
    if problems:
        raise InvalidSettings(problems)
    security = _security(parts)
    return Relay(
        host=parts.hostname or "",
        port=port or _PORTS[security],
        security=security,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _security(parts: SplitResult) -> Security:
    if parts.scheme == "smtps":
        return Security.IMPLICIT
    if wish := parse_qs(parts.query).get("tls"):
        return Security(wish[0])
    local = is_loopback(parts.hostname or "") and parts.username is None
    return Security.NONE if local else Security.STARTTLS


def _problems(parts: SplitResult) -> list[str]:
    if parts.scheme not in ("smtp", "smtps"):  # what is no such URL has no parts to judge
        return ["smtp_url: must begin with smtp:// or smtps://"]
    query = parse_qs(parts.query, keep_blank_values=True)
    problems = []
    if not parts.hostname or control_character(parts.hostname) or len(parts.hostname.split()) > 1:
        problems.append("smtp_url: names no host")
    if parts.path not in ("", "/") or parts.fragment or query.keys() - {"tls"}:
        problems.append("smtp_url: knows no path, no fragment and no option but tls")
    if query.get("tls", ["none"]) not in (["none"], ["starttls"]) or (
        "tls" in query and parts.scheme == "smtps"
    ):
        problems.append("smtp_url: tls is none or starttls, and only for smtp://")
    if "" in (parts.username, parts.password):
        problems.append("smtp_url: has an empty user or password")
    if control_character(unquote(f"{parts.username}{parts.password}")):
        # A NUL parts the fields of PLAIN (RFC 4616), and an octet 1 those of XOAUTH2.
        problems.append("smtp_url: has a user or password with a control character or lone surrogate")
    if parts.username is not None and query.get("tls") == ["none"]:
        problems.append("smtp_url: nobody logs in without TLS; leave out tls=none")
    return problems
