"""Mailboxes: a display name has one reading or is refused, and no error repeats what was given."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress, Mailbox, Recipient, RecipientKind, parse_display_name
from galaxy_mail.domain.errors import InvalidAddress
from tests.domain.people import addresses, names, problem


@given(addresses(), st.one_of(st.just(""), names))
@example(EmailAddress.parse("ada@example.org"), 'Lovelace, "Ada" \\ <ada@evil.example>')
def test_a_mailbox_parses_to_itself(address: EmailAddress, name: str) -> None:
    """Whatever the name holds, quotes, commas, angles or an @: its text parses to an equal mailbox."""
    mailbox = Mailbox(address, name)
    assert Mailbox.parse(str(mailbox)) == mailbox


@pytest.mark.parametrize(
    "text, name",
    [
        ("ada@example.org", ""),
        ('"" <ada@example.org>', ""),
        ("Ada <ada@example.org>", "Ada"),
        ("Ada Lovelace <ada@example.org>", "Ada Lovelace"),
        ("O'Neil & Søn <ada@example.org>", "O'Neil & Søn"),
        ("A. Lovelace <ada@example.org>", "A. Lovelace"),
        ('"Lovelace, Ada" <ada@example.org>', "Lovelace, Ada"),
        ('"Ada \\"Countess\\" L" <ada@example.org>', 'Ada "Countess" L'),
        ('"back\\\\slash" <ada@example.org>', "back\\slash"),
        ('"ada@evil.example" <ada@example.org>', "ada@evil.example"),
        ('"<bob@evil.example>" <ada@example.org>', "<bob@evil.example>"),
        ("👩‍💻 <ada@example.org>", "👩‍💻"),
        ("n" * 256 + " <ada@example.org>", "n" * 256),
    ],
)
def test_the_forms_of_a_mailbox(text: str, name: str) -> None:
    """A bare address, a plain name, a quoted name."""
    assert Mailbox.parse(text) == Mailbox(EmailAddress.parse("ada@example.org"), name)


@pytest.mark.parametrize(
    "text, problem",
    [
        (" <ada@example.org>", "a name, a space and"),
        ("Ada<ada@example.org>", "a name, a space and"),
        ("ada@example.org>", "a name, a space and"),
        ("Ada\t<ada@example.org>", "a name, a space and"),
        ("Ada  <ada@example.org>", "white space around"),
        (" Ada <ada@example.org>", "white space around"),
        ('" Ada" <ada@example.org>', "white space around"),
        ("\u00a0Ada <ada@example.org>", "white space around"),
        ("Lovelace, Ada <ada@example.org>", "needs quotes"),
        ("ada@evil.example <ada@example.org>", "needs quotes"),
        ("Ada (x) <ada@example.org>", "needs quotes"),
        ("Ada <b@evil.example> <ada@example.org>", "needs quotes"),
        ('"Ada" L <ada@example.org>', "needs quotes"),
        ('"A"da" <ada@example.org>', "needs quotes"),
        ('"Ada\\" <ada@example.org>', "needs quotes"),
        ("back\\slash <ada@example.org>", "needs quotes"),
        ("n" * 257 + " <ada@example.org>", "longer than 256"),
        ("Ada <>", "exactly one @"),
        ("Ada <ada>", "exactly one @"),
        ("Ada < ada@example.org>", "dot-atom"),
        ("Ada <ada@example.org >", "host name"),
        ("Ada <ada@example.org>>", "host name"),
        ("=?UTF-8?Q?Ada?= <ada@example.org>", "encoded word"),
        ("A =?UTF-8?Q?=0A?=Bcc: x <ada@example.org>", "needs quotes"),
        ('"A =?UTF-8?Q?=0A?=Bcc: x" <ada@example.org>', "encoded word"),
        ("=?utf 8?b?QQ==?= <ada@example.org>", "encoded word"),
        ("A\nBcc: x <ada@example.org>", "needs quotes"),
        ('"A\nBcc" <ada@example.org>', "control character"),
        ('"A\\\nBcc" <ada@example.org>', "needs quotes"),
        ("A\x00da <ada@example.org>", "control character"),
        ("A\u2028da <ada@example.org>", "control character"),
        ("A\ud800da <ada@example.org>", "control character"),
        ("A\u202eda <ada@example.org>", "direction-changing"),
        ("A\u200bda <ada@example.org>", "invisible"),
    ],
)
def test_a_name_that_has_another_reading_is_refused(text: str, problem: str) -> None:
    """Specials without quotes, white space around, line breaks, encoded words, what cannot be seen."""
    with pytest.raises(InvalidAddress, match=f"^sender: .*{problem}"):
        Mailbox.parse(text, "sender")


@given(st.text(max_size=40))
def test_a_display_name_comes_back_as_it_is(name: str) -> None:
    """A name is taken unchanged or refused, never mended."""
    with suppress(InvalidAddress):
        assert parse_display_name(name, "to") == name


def test_a_recipient_is_a_mailbox_in_its_role() -> None:
    """``reply_to`` is a header only; the other three make up the envelope."""
    mailbox = Mailbox.parse("Ada <ada@example.org>")
    assert Recipient(RecipientKind.BCC, mailbox).address == EmailAddress.parse("ada@example.org")
    assert [kind.in_envelope for kind in RecipientKind] == [True, True, True, False]


# --- errors --------------------------------------------------------------------------------------------------------


@given(st.one_of(st.text(max_size=60), st.text(max_size=20).map("{} <ada@example.org>".format)))
@example("s3cret-value@")
def test_an_error_never_repeats_the_value(text: str) -> None:
    """The message is one of a few constant sentences: the same whatever the text holds besides."""
    assert problem(EmailAddress.parse, text) in EXPECTED
    assert problem(Mailbox.parse, text) in EXPECTED


PROBLEMS = {
    "needs exactly one @",
    "must be an address, or a name, a space and <address>",
    "is not a plain dot-atom before the @ (RFC 5322 section 3.2.3)",
    "is longer than 254 octets",
    "has white space or an invisible character before the @",
    "has more than 64 octets before the @",
    "has a domain that IDNA (RFC 5891) does not allow",
    "has a domain without a dot",
    "has a domain over 253 or a label over 63 octets",
    "has a domain that is not a host name (RFC 1123 section 2.1)",
    "has a display name with specials that needs quotes",
    "has a display name longer than 256 characters",
    "has a display name with white space around it",
} | {
    f"has {where}{what}{side}"
    for what in (
        "a control character, line break or lone surrogate",
        "an invisible or direction-changing character",
        "an encoded word (RFC 2047)",
    )
    for where, side in (("", " before the @"), ("a display name with ", ""))
}

EXPECTED = {None, *(f"cc: {sentence}" for sentence in PROBLEMS)}
