"""What a deployment decides about its relay: where it is, how far to trust it, how long to wait, what its words mean."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

import attrs

from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.verdict_table import VerdictTable

AccessToken: TypeAlias = Callable[[], str | Awaitable[str]]
"""Gives an OAuth 2.0 access token that is valid now. A plain function must not block: it runs in the event loop."""


class TlsMode(StrEnum):
    """How the connection is protected. There is no "if offered": a stranger on the path could take the offer away."""

    IMPLICIT = "implicit"  # TLS from the first octet (RFC 8314)
    STARTTLS = "starttls"  # required and verified, or nothing is sent (RFC 3207)
    NONE = "none"  # in clear, because you say so


@attrs.frozen(kw_only=True)
class Patience:
    """Seconds to wait for the relay, step by step; each reply and each block starts anew.

    RFC 5321 section 4.5.3.2 asks for minutes everywhere, since its client talks to any host of the world. Ours talks to
    one relay that somebody operates: before the dot a timeout burns nothing and makes no copy, so a minute is enough and
    a dead relay is noticed. After the dot each timeout may make a copy (RFC 1047), so there the ten minutes stand.
    """

    connect: float = 15.0  # address, TCP, TLS if implicit, and the greeting
    token: float = 15.0  # an access token, from whoever gives them
    command: float = 60.0  # EHLO, STARTTLS, AUTH, MAIL, each RCPT, DATA, RSET
    block: float = 60.0  # each block of a body that waits to be taken
    dot: float = 600.0  # RFC 5321 section 4.5.3.2.6
    quit: float = 5.0  # the mail is safe by then


@attrs.frozen(kw_only=True)
class PoolLimits:
    """How much at once. ``mails`` and ``age`` (seconds) retire a connection, since relays and balancers do so too."""

    connections: int = 10
    mails: int = 100
    age: float = 300.0
    idle: float = 30.0
    pause: float = 5.0  # no further connection for so long after the relay refused one while others work


@attrs.frozen(kw_only=True)
class RelayConfig:
    """The relay, as the adapter needs to know it.

    ``tls_context`` takes the place of the system's certificates and ``ca_file``; verifying is then its business.
    ``access_token`` takes the place of a password: it is asked for each new connection, and the login is XOAUTH2.
    ``local_hostname`` is what EHLO says; without it, this host's full name or the address of the connection.

    Raises:
        InvalidSettings: naming every problem; a password is never shown.
    """

    host: str
    port: int
    tls: TlsMode = TlsMode.STARTTLS
    username: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    access_token: AccessToken | None = attrs.field(default=None, repr=False)
    tls_context: ssl.SSLContext | None = None
    ca_file: Path | None = None
    local_hostname: str | None = None
    pool: PoolLimits = attrs.field(factory=PoolLimits)
    patience: Patience = attrs.field(factory=Patience)
    verdicts: VerdictTable = attrs.field(factory=VerdictTable)  # what its replies mean

    def __attrs_post_init__(self) -> None:
        if problems := list(_problems(self)):
            raise InvalidSettings(problems)

    def build_tls_context(self) -> ssl.SSLContext | None:
        """The context that verifies the relay's certificate and name; None where no TLS is spoken.

        Raises:
            InvalidSettings: if ``ca_file`` cannot be read as certificates.
        """
        if self.tls is TlsMode.NONE or self.tls_context:
            return self.tls_context
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError:
            raise InvalidSettings(["ca_file: cannot be read as PEM certificates"]) from None


def _problems(config: RelayConfig) -> Iterator[str]:
    if not config.host or any(character.isspace() for character in config.host):
        yield "host: names no host"
    if not 0 < config.port < 65_536:
        yield "port: must be 1 to 65535"
    secrets = [secret for secret in (config.password, config.access_token) if secret is not None]
    if len(secrets) > 1:
        yield "access_token: takes the place of a password, and there is one"
    if (config.username is None) == bool(secrets):
        yield "username: needs a password or an access_token, and they need a username"
    if config.username is not None and config.tls is TlsMode.NONE:
        yield "tls: a password or an access token is never sent in clear"
    name = config.local_hostname
    if name is not None and not (name.isascii() and name.isprintable() and name and " " not in name):
        yield "local_hostname: must be one ASCII word"
    if min(attrs.astuple(config.patience)) <= 0:
        yield "patience: every wait must be longer than 0 s"
    if min(attrs.astuple(config.pool)) <= 0:
        yield "pool: every limit must be greater than 0"
