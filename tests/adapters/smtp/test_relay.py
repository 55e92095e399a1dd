from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from galaxy_mail.adapters.smtp import Patience, PooledSmtpSender, PoolLimits, RelayConfig, TlsMode
from galaxy_mail.domain.errors import InvalidSettings

GOOD = RelayConfig(host="relay.example", port=587)


def test_tls_is_required_unless_said_otherwise() -> None:
    """The default is STARTTLS, verified; only plaintext needs no context."""
    context = GOOD.build_tls_context()
    assert GOOD.tls is TlsMode.STARTTLS
    assert context
    assert context.check_hostname
    assert attrs.evolve(GOOD, tls=TlsMode.NONE).build_tls_context() is None


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"host": ""}, "host:"),
        ({"host": "a b"}, "host:"),
        ({"host": "a\r\nb"}, "host:"),
        ({"port": 0}, "port:"),
        ({"port": 65_536}, "port:"),
        ({"username": "u"}, "username:"),
        ({"password": "p4ss"}, "username:"),
        ({"access_token": str}, "username:"),
        ({"username": "u", "password": "p4ss", "access_token": str}, "access_token:"),
        ({"username": "u", "access_token": str, "tls": TlsMode.NONE}, "tls:"),
        ({"username": "u", "password": "p4ss", "tls": TlsMode.NONE}, "tls:"),
        ({"local_hostname": "two words"}, "local_hostname:"),
        ({"local_hostname": "a\r\nb"}, "local_hostname:"),
        ({"local_hostname": "bücher"}, "local_hostname:"),
        ({"patience": Patience(dot=0)}, "patience:"),
        ({"patience": Patience(token=0)}, "patience:"),
        ({"pool": PoolLimits(connections=0)}, "pool:"),
        ({"pool": PoolLimits(age=-1)}, "pool:"),
    ],
)
def test_each_setting_has_its_range(changes: dict[str, Any], problem: str) -> None:
    """The error names the setting."""
    with pytest.raises(InvalidSettings, match=f"^invalid settings:\n  - {problem}"):
        attrs.evolve(GOOD, **changes)


def test_all_problems_are_named_at_once() -> None:
    """And no password."""
    with pytest.raises(InvalidSettings) as caught:
        RelayConfig(host="", port=0, tls=TlsMode.NONE, username="u", password="p4ss")
    assert len(caught.value.problems) == 3
    assert "p4ss" not in str(caught.value)


def test_a_ca_file_that_cannot_be_read_is_told_when_wired(tmp_path: Path) -> None:
    """Missing, or no certificate: an error before anything is sent."""
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for path in (tmp_path / "missing.pem", empty):
        with pytest.raises(InvalidSettings, match="ca_file"):
            PooledSmtpSender(attrs.evolve(GOOD, ca_file=path))
