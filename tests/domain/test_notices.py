"""A notice names nobody: it goes to a log, a chat or an inbox where the recipients' addresses do not belong."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.notices import Notice, with_masked_addresses
from galaxy_mail.domain.text import escaped
from galaxy_mail.domain.verdicts import MAX_DETAIL_OCTETS
from galaxy_mail.testing.contracts.admin_notifier import notices
from tests.domain.people import addresses


@given(addresses(), st.sampled_from(("", "<", "to ", "rcpt:<")), st.sampled_from(("", ">", ": unknown")))
def test_no_address_is_shown_whole(address: EmailAddress, before: str, after: str) -> None:
    """However the server echoes an address, a letter and the domain are left of it, as of those that were refused."""
    heard = escaped(f"550 {before}{address}{after}", MAX_DETAIL_OCTETS)
    assert with_masked_addresses(heard) == escaped(f"550 {before}{address.masked}{after}", MAX_DETAIL_OCTETS)


@given(st.text(max_size=80))
def test_what_is_told_stays_with_masked_addresses(text: str) -> None:
    """Masking twice is masking once, and words without an @ stay as they are."""
    assert with_masked_addresses(with_masked_addresses(text)) == with_masked_addresses(text)
    assert with_masked_addresses(text.replace("@", "")) == text.replace("@", "")


@pytest.mark.parametrize(
    "said, shown",
    [
        ("ada@example.org and bob@example.org", "a***@example.org and b***@example.org"),
        ("5.1.1 <ada+bob=example.com@lists.example.org>", "5.1.1 <a***@lists.example.org>"),
        ("cut off: grace.hop@exa", "cut off: g***@exa"),
        (r"<\xe9da@example.org>", r"<\xe9***@example.org>"),
    ],
)
def test_each_form_of_echo(said: str, shown: str) -> None:
    """Several, wrapped, cut off, escaped."""
    assert with_masked_addresses(said) == shown


@given(notices())
def test_every_notice_is_masked(notice: Notice) -> None:
    """Whoever makes it, from whatever a server said."""
    assert attrs.evolve(notice, detail="550 <ada@example.org>").detail == "550 <a***@example.org>"
