"""Addresses and names, good and bad, for tests."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.errors import InvalidAddress, InvalidInput

ATEXT = string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-"

atoms = st.text(ATEXT, min_size=1, max_size=12)
letters = st.sampled_from("éßñøπжשعنあ字한")
utf8_atoms = st.tuples(st.text(ATEXT, max_size=4), letters).map("".join)
locals_ = st.lists(st.one_of(atoms, utf8_atoms), min_size=1, max_size=3).map(".".join)
labels = st.from_regex(r"[a-z0-9]([a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
idn_labels = st.sampled_from(["bücher", "straße", "例え", "παράδειγμα", "пример", "دامنه"])
domains = st.builds(
    "{}.{}".format,
    st.lists(st.one_of(labels, idn_labels), min_size=1, max_size=3).map(".".join),
    st.sampled_from(["org", "de", "example", "рф", "xn--p1ai"]),
)
names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=40
).filter(lambda name: name == name.strip() and "=?" not in name)


@st.composite
def addresses(draw: st.DrawFn) -> EmailAddress:
    """Any valid address."""
    return EmailAddress.parse(f"{draw(locals_)}@{draw(domains)}")


def problem(parse: Callable[[str, str], object], text: str) -> str | None:
    """What the parser finds wrong with the text; all that a traceback would show."""
    try:
        parse(text, "cc")
    except InvalidAddress as error:
        return f"{error}{error.__cause__ or ''}"
    return None


def input_problem(check: Callable[..., object], *args: Any, **kwargs: Any) -> str:
    """The text of the error that the call must raise."""
    with pytest.raises(InvalidInput) as caught:
        check(*args, **kwargs)
    assert caught.value.__cause__ is None
    return str(caught.value)
