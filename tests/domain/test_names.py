"""A schema's name needs no quotes in SQL, and so cannot end them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.names import schema_name_problem


@given(st.from_regex(r"[a-z_][a-z0-9_]{0,62}", fullmatch=True))
def test_a_plain_name_is_one(name: str) -> None:
    """Lower-case letters, digits and underscores, up to PostgreSQL's own length."""
    assert schema_name_problem(name) is None


@given(st.text())
def test_what_is_accepted_is_safe_in_sql(name: str) -> None:
    """No quote, blank, mark or capital gets through."""
    plain = name.isascii() and name.isidentifier() and name == name.lower() and len(name) <= 63
    assert (schema_name_problem(name) is None) == plain


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", 'a"b', "a;drop", "a\n", "a" * 64, "ä", None, 7, b"a"])
def test_what_is_no_plain_name_is_a_problem_of_schema(name: object) -> None:
    """The problem names the setting and says what it may be."""
    assert str(schema_name_problem(name)).startswith("schema: must be a plain name")
