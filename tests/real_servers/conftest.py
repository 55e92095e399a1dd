"""The three relays, each started once a session, with a certificate of an authority made for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme

from galaxy_mail.adapters.smtp import TlsMode
from tests.real_servers.daemon import running
from tests.real_servers.exim import EXIM
from tests.real_servers.opensmtpd import OPENSMTPD
from tests.real_servers.postfix import POSTFIX
from tests.real_servers.relays import RealRelay, RelayRecipe


@pytest.fixture(scope="session", params=[POSTFIX, EXIM, OPENSMTPD], ids=["postfix", "exim", "opensmtpd"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRelay]:
    """A relay that greets."""
    recipe: RelayRecipe = request.param
    ground = tmp_path_factory.mktemp(recipe.program)
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    # OpenSMTPD 6.8 cannot use an elliptic key with OpenSSL 3.
    certificate = authority.issue_cert("localhost", key_type=trustme.KeyType.RSA)
    certificate.cert_chain_pems[0].write_to_path(str(ground / "certificate.pem"))
    (ground / "key.pem").touch(0o600)
    certificate.private_key_pem.write_to_path(str(ground / "key.pem"))
    authority.cert_pem.write_to_path(str(ground / "ca.pem"))
    (ground / "mail").mkdir()
    (ground / "mail").chmod(0o777)
    with running(recipe, ground) as daemon:
        daemon.until(daemon.greets)
        yield RealRelay(recipe, daemon, ground / "ca.pem")


@pytest.fixture
def secured(server: RealRelay) -> RealRelay:
    """A relay that can do TLS. Where one is known to fail, the standard library's client says whether it does here."""
    if server.recipe.tls_excuse and not server.speaks_tls():
        pytest.skip(server.recipe.tls_excuse)
    return server


@pytest.fixture(params=[TlsMode.NONE, TlsMode.STARTTLS], ids=["clear", "starttls"])
def tls(request: pytest.FixtureRequest) -> TlsMode:
    """Both ways to reach one and the same port."""
    mode: TlsMode = request.param
    if mode is TlsMode.STARTTLS:
        request.getfixturevalue("secured")
    return mode
