"""Header fields: folded at blanks only, and plain where every reader agrees (RFC 5322)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain import headers
from galaxy_mail.domain.addresses import Mailbox
from galaxy_mail.domain.errors import InvalidMessage
from galaxy_mail.domain.headers import MAX_FOLDED, MAX_MESSAGE_ID, MIN_YEAR
from tests.domain.mime_strategies import ADA, header_texts, instants, mailboxes

words = st.lists(st.text('abc,."\\<>@=_', min_size=1, max_size=30), min_size=1, max_size=30)


@given(words.map(" ".join))
def test_plain_text_stays_plain_and_unfolds_to_itself(text: str) -> None:
    """Printable ASCII with single blanks is readable on the wire, on lines of at most 76 octets."""
    folded = headers.unstructured(text, "subject")
    lines = f"Subject: {folded}".split("\r\n")
    assert folded.replace("\r\n", "") == text
    assert all(0 < len(line) <= MAX_FOLDED for line in lines)


@pytest.mark.parametrize("length", range(1, 67))
def test_a_line_takes_what_it_can(length: int) -> None:
    """A word goes to the next line if it would pass the 76th octet, and not before."""
    word = "x" * length
    first, *lines, _ = f"Reply-To: {headers.unstructured(' '.join([word] * 200), 'subject')}".split("\r\n")
    assert all(len(line) <= MAX_FOLDED < len(line) + 1 + length for line in (first, *lines))


@given(words.map(" ".join))
def test_an_ascii_name_is_never_encoded_without_need(name: str) -> None:
    """Atoms or a quoted string, folded at its blanks, which the quotes keep."""
    folded = headers.mailbox_list((Mailbox(ADA.address, name),), "to")
    phrase = folded.replace("\r\n", "").removesuffix(" <ada@example.org>")
    assert "=?" not in phrase
    if phrase != name:
        assert phrase[1:-1].replace('\\"', '"').replace("\\\\", "\\") == name
        assert phrase[0] == phrase[-1] == '"'


@given(header_texts, st.lists(mailboxes, max_size=3).map(tuple))
def test_no_folded_line_is_blank(text: str, boxes: tuple[Mailbox, ...]) -> None:
    """Each line after the first begins with one blank and goes on with something to see (RFC 5322 section 3.2.2)."""
    for value in (headers.unstructured(text, "subject"), headers.mailbox_list(boxes, "to")):
        first, *folded = value.split("\r\n")
        assert all(line[0] == " " and line.strip() for line in folded)
        assert all(line == line.rstrip() for line in (first, *folded))


@given(st.lists(mailboxes, max_size=3).map(tuple))
def test_lines_of_a_list_end_early(boxes: tuple[Mailbox, ...]) -> None:
    """No line passes 76 octets but for an address, which nobody may break, alone on its line."""
    for line in f"Reply-To: {headers.mailbox_list(boxes, 'reply_to')}".split("\r\n"):
        assert len(line) <= MAX_FOLDED or len(line.removeprefix("Reply-To:").split()) == 1


@pytest.mark.parametrize(
    "name, value",
    [
        ("", "ada@example.org"),
        ("Ada Lovelace", "Ada Lovelace <ada@example.org>"),
        ("Lovelace, Ada", '"Lovelace, Ada" <ada@example.org>'),
        ("A. Lovelace", '"A. Lovelace" <ada@example.org>'),
        ('Ada "the first" \\ Byron', '"Ada \\"the first\\" \\\\ Byron" <ada@example.org>'),
        ("Ada  Lovelace", '"Ada  Lovelace" <ada@example.org>'),
        (" ", '" " <ada@example.org>'),
        ("eve@example.org", '"eve@example.org" <ada@example.org>'),
        ("Adä", "=?utf-8?q?Ad=C3=A4?= <ada@example.org>"),
        ("=?x", "=?utf-8?b?PT94?= <ada@example.org>"),
        ("a" * 60, f"{'a' * 60}\r\n <ada@example.org>"),
        (f"{'a' * 60} {'b, ' * 9}", f'"{"a" * 60} b,\r\n {"b, " * 8}" <ada@example.org>'),
    ],
)
def test_the_forms_of_a_mailbox(name: str, value: str) -> None:
    """Bare, atoms, quoted string, encoded words: the first that every reader takes for what it is."""
    assert headers.mailbox_list((Mailbox(ADA.address, name),), "to") == value


@given(instants)
def test_dates_are_written_as_the_library_writes_them(instant: datetime) -> None:
    """An independent writer and an independent reader agree with us, to the second."""
    at = instant.astimezone(UTC).replace(microsecond=0)
    assert headers.date(instant) == format_datetime(at)
    assert parsedate_to_datetime(headers.date(instant)) == at


def test_the_first_year_of_mail() -> None:
    """The calendar of RFC 5322 begins in 1900, and every day and month of a year has its name."""
    first = datetime(MIN_YEAR, 1, 1, tzinfo=UTC)
    assert headers.date(first) == "Mon, 01 Jan 1900 00:00:00 +0000"
    months = [headers.date(first.replace(month=month)).split()[2] for month in range(1, 13)]
    assert months == ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@pytest.mark.parametrize(
    "identifier", ["1@example.org", "0197a-b.c+d=e@mail.example", f"{'x' * (MAX_MESSAGE_ID - 2)}@y"]
)
def test_a_plain_message_id_is_taken(identifier: str) -> None:
    """Two dot-atoms and an @, up to the limit."""
    assert headers.message_id(identifier) == f"<{identifier}>"


@pytest.mark.parametrize(
    "identifier",
    ["", "1", "@", "1@", "@b", "a@b@c", "<a@b>", "a b@c", "a@b>", "a..b@c", ".a@b", "a@b.", "a@[::1]", '"a"@b', "ä@b", "a@b\n",
     f"{'x' * (MAX_MESSAGE_ID - 1)}@y"],
)  # fmt: skip
def test_any_other_message_id_is_refused(identifier: str) -> None:
    """Brackets, blanks, quotes, comments and length: what servers and threads disagree about."""
    with pytest.raises(InvalidMessage, match=r"^message_id: "):
        headers.message_id(identifier)
