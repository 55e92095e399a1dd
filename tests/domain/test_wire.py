"""The last gate sees each breach of the wire contract, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain.wire import MAX_HEADER_BLOCK, MAX_LINE, lines_within, wire_contract_problem

HEAD = b"Date: Mon, 04 May 2026 12:00:00 +0000\r\nFrom: ada@example.org\r\nMessage-ID: <1@example.org>\r\n"
GOOD = (
    HEAD
    + b"Subject: a\r\n b\r\nReceived: x\r\nReceived: y\r\n\r\nHello\r\n..\r\n\r\nBcc: in a body is text\r\n"
)


def with_field(field: bytes) -> bytes:
    """A good message with one more header field."""
    return HEAD + field + b"\r\n\r\nHello\r\n"


def test_a_good_message_passes() -> None:
    """Folds, repeated trace fields, dots, blank lines and an empty body are no breach."""
    assert wire_contract_problem(GOOD) is None
    assert wire_contract_problem(HEAD + b"\r\n") is None


@pytest.mark.parametrize(
    "raw, problem",
    [
        (b"", "no blank line"),
        (HEAD, "no blank line"),
        (HEAD + b"\r\nHello", "end with CRLF"),
        (HEAD + b"\r\nHello\n", "end with CRLF"),
        (HEAD + b"\r\nHello\r\n.\n\r\n", "lone CR or LF"),
        (HEAD + b"\r\nHello\r\n.\r\r\n", "lone CR or LF"),
        (with_field(b"Subject: a\rb"), "lone CR or LF"),
        (with_field(b"Subject: a\nBcc: b"), "lone CR or LF"),
        (HEAD + b"\r\n\0\r\n", "NUL"),
        (with_field(b"Subject: \0"), "NUL"),
        (HEAD + b"\r\n" + b"x" * (MAX_LINE + 1) + b"\r\n", "longer than 998"),
        (with_field(b"Subject: " + b"x" * (MAX_LINE - 8)), "longer than 998"),
        (HEAD + "\r\nü\r\n".encode(), "body that is not 7-bit"),
        (with_field("Subject: ü".encode()), "header that is not ASCII"),
        (with_field(b"Subject: a\r\n \r\n b"), "not made of fields"),
        (with_field(b"Subject:\r\n\t"), "not made of fields"),
        (b"\r\n" + HEAD + b"\r\n\r\n", "not made of fields"),
        (b" x\r\n" + HEAD + b"\r\n", "not made of fields"),
        (with_field(b"Subject"), "not made of fields"),
        (with_field(b": x"), "not made of fields"),
        (with_field(b"Sub ject: x"), "not made of fields"),
        (with_field(b"Subject : x"), "not made of fields"),
        (with_field(b"bcc: eve@example.org"), "blind recipients"),
        (with_field(b"Resent-Bcc: eve@example.org"), "blind recipients"),
        (with_field(b"Subject: a\r\nsubject: b"), "second Subject"),
        (with_field(b"FROM: eve@example.org"), "second From"),
        (b"From: a\r\nMessage-ID: b\r\n\r\n", "no Date"),
        (b"Date: a\r\nMessage-ID: b\r\n\r\n", "no From"),
        (b"Date: a\r\nFrom: b\r\n\r\n", "no Message-Id"),
        (with_field(b"\r\n".join([b"X: " + b"x" * 900] * 80)), "more than 64 KiB"),
    ],
)
def test_each_breach_is_named(raw: bytes, problem: str) -> None:
    """One line for each clause of the contract."""
    assert problem in str(wire_contract_problem(raw))


@given(st.integers(0, len(GOOD)), st.sampled_from([b"\r", b"\n", b"\0", b"\x80", b"\xff"]))
def test_no_stray_octet_passes(place: int, octet: bytes) -> None:
    """A CR, LF, NUL or octet beyond ASCII put anywhere into a good message is found."""
    assert wire_contract_problem(GOOD[:place] + octet + GOOD[place:]) is not None


@given(st.binary(max_size=200))
def test_any_octets_are_judged(raw: bytes) -> None:
    """The gate is total: it answers and never raises, and what it says is about the message, not from it."""
    problem = wire_contract_problem(HEAD + raw)
    assert problem is None or problem.startswith(("has ", "holds ", "does ", "names "))


def test_utf8_passes_where_it_was_agreed_on() -> None:
    """SMTPUTF8 allows it in the header, if it is UTF-8, and not in the body."""
    assert wire_contract_problem(with_field("To: jürgen@example.org".encode()), smtputf8=True) is None
    assert "not UTF-8" in str(wire_contract_problem(with_field(b"To: \xff@example.org"), smtputf8=True))
    assert "body" in str(wire_contract_problem(HEAD + "\r\nü\r\n".encode(), smtputf8=True))


def test_limits_are_exact() -> None:
    """A line of 998 octets and a header block of 64 KiB pass; one octet more does not."""
    assert wire_contract_problem(HEAD + b"\r\n" + b"x" * MAX_LINE + b"\r\n") is None
    block = HEAD + b"\r\n".join([b"X: " + b"x" * 900] * 80)
    assert wire_contract_problem(block[:MAX_HEADER_BLOCK] + b"\r\n\r\n") is None
    assert wire_contract_problem(block[: MAX_HEADER_BLOCK + 1] + b"\r\n\r\n") is not None


@given(
    st.lists(st.integers(0, 9), max_size=12).map(lambda lengths: b"\n".join(b"x" * n for n in lengths)),
    st.integers(0, 9),
)
def test_leaping_finds_the_longest_line(octets: bytes, limit: int) -> None:
    """``lines_within`` says what visiting each line would."""
    assert lines_within(octets, limit) == (max(map(len, octets.split(b"\n"))) <= limit)
