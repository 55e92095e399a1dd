"""An SMTP URL says where the relay is and how the way there is protected; the safe way is the default."""

from __future__ import annotations

import contextlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.app.relay_url import Relay, Security, is_loopback, parse_relay
from galaxy_mail.domain.errors import InvalidSettings

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20
)


@pytest.mark.parametrize(
    "url, relay",
    [
        ("smtps://mx.example.org", Relay("mx.example.org", 465, Security.IMPLICIT)),
        ("smtp://mx.example.org", Relay("mx.example.org", 587, Security.STARTTLS)),
        ("smtp://mx.example.org:2525/", Relay("mx.example.org", 2525, Security.STARTTLS)),
        ("smtp://127.0.0.1:2525", Relay("127.0.0.1", 2525, Security.NONE)),
        ("smtp://[::1]", Relay("::1", 25, Security.NONE)),
        ("smtp://localhost?tls=starttls", Relay("localhost", 587, Security.STARTTLS)),
        ("smtp://mx.example.org?tls=none", Relay("mx.example.org", 25, Security.NONE)),
        ("smtp://u:p@localhost", Relay("localhost", 587, Security.STARTTLS, "u", "p")),
        ("smtps://u:p@mx.example.org", Relay("mx.example.org", 465, Security.IMPLICIT, "u", "p")),
        ("smtps://u%40a.b@mx.example.org", Relay("mx.example.org", 465, Security.IMPLICIT, "u@a.b")),
        ("smtp://u@localhost", Relay("localhost", 587, Security.STARTTLS, "u")),
    ],
)
def test_each_form_of_url_has_one_meaning(url: str, relay: Relay) -> None:
    """Plaintext needs a loopback host without credentials, or the words tls=none."""
    assert parse_relay(url) == relay


@given(user=WORDS, password=WORDS)
def test_credentials_survive_their_escapes_and_stay_out_of_sight(user: str, password: str) -> None:
    """Any user and password can be written in a URL, comes back, and the password is in no repr."""
    relay = parse_relay(f"smtps://{quote(user, safe='')}:{quote(password, safe='')}@mx.example.org")
    assert (relay.username, relay.password) == (user, password)
    assert repr(relay) == repr(Relay("mx.example.org", 465, Security.IMPLICIT, user))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mx.example.org",
        "http://mx.example.org",
        "smtp://",
        "smtp://mx.example.org:0x19",
        "smtp://mx.example.org:70000",
        "smtp://mx.example.org:0",
        "smtp://@mx.example.org",
        "smtp://:hunter2@mx.example.org",
        "smtp://user:@mx.example.org",
        "smtp://user@mx.example.org?tls=none",
        "smtps://us%00er:hunter2@mx.example.org",
        "smtps://user:hunter2%00@mx.example.org",
        "smtps://user%01auth=Bearer@mx.example.org",
        "smtps://user:hunter2\udcff@mx.example.org",
        "smtp://mx example.org",
        "smtp://mx\x01.example.org",
        "smtp://mx\u2028example.org",
        "smtp://u:hunter2@mx.example.org?tls=none",
        "smtp://u:hunter2@localhost?tls=none",
        "smtp://mx.example.org?tls=maybe",
        "smtp://mx.example.org?tls=",
        "smtps://mx.example.org?tls=none",
        "smtp://mx.example.org?tls=none&tls=starttls",
        "smtp://mx.example.org?verify=no",
        "smtp://mx.example.org/path",
        "smtp://mx.example.org#fragment",
    ],
)
def test_what_has_no_clear_meaning_is_refused_without_showing_it(url: str) -> None:
    """A URL that is unsafe or unclear is a problem of smtp_url, and its password is not repeated."""
    with pytest.raises(InvalidSettings) as refused:
        parse_relay(url)
    assert all(problem.startswith("smtp_url: ") for problem in refused.value.problems)
    assert "hunter2" not in str(refused.value)


@given(st.text())
def test_any_text_is_a_relay_or_a_named_problem(url: str) -> None:
    """Nothing but InvalidSettings comes out of a bad URL, and no good one sends credentials in clear."""
    with contextlib.suppress(InvalidSettings):
        relay = parse_relay(url)
        assert relay.host
        assert relay.username is None or relay.security is not Security.NONE


def test_loopback_is_this_machine_and_nothing_else() -> None:
    """Its name and its addresses; a resolver may send ``mail.localhost`` anywhere, whatever RFC 6761 says it should."""
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(
        map(
            is_loopback,
            ("mail.localhost", "localhost.evil.com", "127.0.0.1.evil.com", "10.0.0.1", "example.org", ""),
        )
    )


@pytest.mark.parametrize("text", ["", "smtp.example.org", "relay/x?tls=y", "mailto:ada@example.org"])
def test_what_is_no_such_url_is_told_once(text: str) -> None:
    """Parts that it does not have are not judged."""
    with pytest.raises(InvalidSettings) as refused:
        parse_relay(text)
    assert refused.value.problems == ("smtp_url: must begin with smtp:// or smtps://",)
