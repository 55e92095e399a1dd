"""Addresses: what is one plain mailbox comes in and goes out unchanged; everything else is refused, on purpose."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress, Mailbox
from galaxy_mail.domain.text import forbidden_character
from tests.domain.people import addresses, domains, locals_, problem


def problem_of_both(text: str) -> str | None:
    """What both parsers find wrong with a text without a display name."""
    found, also = problem(EmailAddress.parse, text), problem(Mailbox.parse, text)
    assert bool(found) == bool(also)
    return found


# --- plain addresses -------------------------------------------------------------------------------------------------


@given(locals_, domains)
@example("ada", "example.org")
@example("a!#$%&'*+/=?^_`{|}~-z", "x.de")
def test_an_address_parses_to_itself(local: str, domain: str) -> None:
    """Text of a parsed address parses to an equal address, whose domain is ASCII and in lower case."""
    address = EmailAddress.parse(f"{local}@{domain}")
    assert EmailAddress.parse(str(address)) == address
    assert address.domain.isascii()
    assert address.domain == address.domain.lower()
    assert address.needs_smtputf8 == (not address.local.isascii())


@given(addresses())
def test_other_readers_see_the_same_address(address: EmailAddress) -> None:
    """The standard library's parser reads what we read: no second address hides in it."""
    assert parseaddr(str(address)) == ("", str(address))


@given(st.text(max_size=4), st.one_of(st.just("example.org"), st.text(max_size=4).map("x{}y.org".format)))
@example("a\u037eb", "example.org")
@example("\u1fef", "example.org")
@example("a", "exa\u200bmple.org")
def test_what_is_accepted_is_plain(local: str, domain: str) -> None:
    """Whatever goes in, what comes out holds no special, white space or control, and is stable."""
    text = f"{local}@{domain}"
    if not problem_of_both(text):
        address = EmailAddress.parse(text)
        assert not set('"(),:;<>@[\\] ') & set(address.local)
        assert forbidden_character(str(address)) is None
        assert EmailAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    "given_, wire",
    [
        ("Ada@Example.ORG", "Ada@example.org"),  # the local part is the server's own business
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.de", "ada@xn--strae-oqa.de"),  # IDNA 2008: not strasse.de
        ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@ab--cd.example", "ada@ab--cd.example"),
        ("re\u0301ne\u0301@example.org", "réné@example.org"),
        ("\u212a@example.org", "K@example.org"),  # the Kelvin sign is a K
    ],
)
def test_the_wire_form(given_: str, wire: str) -> None:
    """Domains become lower-case A-labels, local parts NFC; nothing else changes."""
    assert str(EmailAddress.parse(given_)) == wire


def test_addresses_compare_by_what_the_wire_sees() -> None:
    """Two spellings of one address are equal, and hash alike."""
    one, other = EmailAddress.parse("ada@BÜCHER.example"), EmailAddress.parse("ada@xn--bcher-kva.example")
    assert {one, other} == {one}
    assert EmailAddress.parse("Ada@x.org") != EmailAddress.parse("ada@x.org")


@pytest.mark.parametrize("masked, text", [("a***@example.org", "ada@example.org"), ("é***@x.de", "éa@x.de")])
def test_the_masked_form_shows_one_character(masked: str, text: str) -> None:
    """For logs and notices."""
    assert EmailAddress.parse(text).masked == masked


# --- exact limits ----------------------------------------------------------------------------------------------------

LABEL = "d" * 63
DOMAIN_253 = ".".join([LABEL, LABEL, LABEL, "d" * 61])
DOMAIN_189 = ".".join([LABEL, LABEL, "d" * 61])


@pytest.mark.parametrize(
    "fits",
    [
        "l" * 64 + "@example.org",
        "é" * 32 + "@example.org",
        f"a@{LABEL}.org",
        f"{'l' * 64}@{DOMAIN_189}",  # 254 octets
        f"{'é' * 32}@{DOMAIN_189}",
    ],
)
def test_the_longest_address_fits(fits: str) -> None:
    """64 octets before the @, 63 a label, 254 in all (RFC 5321 section 4.5.3.1, RFC 1035 section 2.3.4)."""
    assert str(EmailAddress.parse(fits)) == fits


@pytest.mark.parametrize(
    "too_long, problem",
    [
        ("l" * 65 + "@example.org", "more than 64 octets before the @"),
        ("é" * 33 + "@example.org", "more than 64 octets before the @"),
        (f"a@{LABEL}d.org", "label over 63"),
        (f"a@{'ü' * 60}.org", "IDNA"),
        (f"a@{DOMAIN_253}", "longer than 254 octets"),  # the domain alone would do
        (f"a@d{DOMAIN_253[:-1]}dd", "over 253"),
        (f"{'l' * 64}@d.{DOMAIN_189[:-1]}", "longer than 254 octets"),
        (f"{'é' * 32}@d.{DOMAIN_189[:-1]}", "longer than 254 octets"),
    ],
)
def test_one_octet_more_is_refused(too_long: str, problem: str) -> None:
    """Octets are counted, not characters, and the error says which limit it was."""
    assert problem in str(problem_of_both(too_long))


def test_a_domain_of_253_octets_is_not_the_domains_fault() -> None:
    """The limit of the domain is 253: with 254 it is named, with 253 only the whole is too long."""
    assert len(DOMAIN_253) == 253
    assert "domain over 253" in str(problem_of_both(f"a@{DOMAIN_253}d"))


# --- what is no plain address ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "@", "ada", "ada@", "@example.org", "ada@@example.org", "ada@b@example.org",
        "alice@example.org<bob@evil.example>", "<ada@example.org>", "ada@example.org>", "<ada@example.org",
        "ada@example.org, bob@example.org", "ada@example.org;bob@example.org", "ada@example.org bob@example.org",
        "friends: ada@example.org;", "undisclosed-recipients:;",
        "ada(comment)@example.org", "ada@example.org (Ada)", "(c)ada@example.org", "ada@(c)example.org",
        "@relay.example:ada@example.org", "ada%example.org@relay.example@x", "relay.example!ada",
        '"ada"@example.org', '"a b"@example.org', '"a\\"b"@example.org', '""@example.org',
        "ada@[192.0.2.1]", "ada@[IPv6:2001:db8::1]", "ada@192.0.2.1", "ada@2001:db8::1",
        "ada@localhost", "ada@org", "ada@example.123",
        ".ada@example.org", "ada.@example.org", "a..da@example.org", ".@example.org",
        "ada@.example.org", "ada@example.org.", "ada@example..org", "ada@-example.org", "ada@example-.org",
        "ada@exa_mple.org", "ada@exa mple.org", "ada@example.org/x", "ada@xn--.org", "ada@☃.example", "ada@💩.example",
        "ada @example.org", "ada@ example.org", " ada@example.org", "ada@example.org ", "a da@example.org",
        "ada\t@example.org", "mailto:ada@example.org", "a\\da@example.org", "a,b@example.org",
        "ada@exa\uff20mple.org", "ada\uff20example.org", "ada@ｅxample.org",
    ],
)  # fmt: skip
def test_other_forms_are_refused(text: str) -> None:
    """Lists, groups, comments, routes, angles, quotes, literals, bare hosts and near misses: none is one plain address."""
    assert problem_of_both(text)


SMUGGLED = {
    "CR": "\r", "LF": "\n", "CRLF": "\r\n", "NUL": "\x00", "ESC": "\x1b", "DEL": "\x7f", "C1": "\x85",
    "line separator": "\u2028", "paragraph separator": "\u2029", "lone surrogate": "\ud800", "tab": "\t",
    "no-break space": "\u00a0", "ideographic space": "\u3000", "zero width space": "\u200b", "BOM": "\ufeff",
    "right-to-left override": "\u202e", "isolate": "\u2066", "word joiner": "\u2060", "soft hyphen": "\u00ad",
    "tag": "\U000e0041", "private use": "\ue000", "Greek question mark": "\u037e",
}  # fmt: skip


@pytest.mark.parametrize("what", SMUGGLED)
@pytest.mark.parametrize(
    "form", ["a{}da@example.org", "ada@exa{}mple.org", "é{}da@example.org", "ada@bü{}cher.de"]
)
def test_nothing_is_smuggled_in(what: str, form: str) -> None:
    """Line breaks, controls, what cannot be seen and what turns into a special: refused on either side of the @."""
    assert problem_of_both(form.format(SMUGGLED[what]))


@pytest.mark.parametrize("value", [None, 42, b"ada@example.org", ["ada@example.org"], object()])
def test_what_is_no_text_is_refused(value: Any) -> None:
    """A wrong type is the caller's error like any other."""
    assert "must be text" in str(problem_of_both(value))
