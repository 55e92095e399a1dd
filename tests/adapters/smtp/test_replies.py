from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.adapters.smtp.replies import (
    MAX_REPLY_OCTETS,
    MAX_TEXT_OCTETS,
    GarbageReply,
    ReplyReader,
    queue_id,
)
from galaxy_mail.domain.verdicts import SmtpReply

CODES = st.integers(200, 599)
LINES = st.lists(
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=40), min_size=1
)


def wire(code: int, lines: list[str], ending: str = "\r\n") -> bytes:
    """A reply as octets."""
    *first, last = lines
    return "".join([f"{code}-{line}{ending}" for line in first] + [f"{code} {last}{ending}"]).encode()


def read_all(pieces: list[bytes]) -> list[SmtpReply | str]:
    """The replies, and ``garbage`` where they end in it."""
    reader = ReplyReader()
    replies: list[SmtpReply | str] = []
    try:
        for piece in pieces:
            reader.feed(piece)
            while reply := reader.next_reply():
                replies.append(reply.signal)
    except GarbageReply:
        replies.append("garbage")
    else:
        replies += ["partial"] if reader.partial else []
    return replies


def split(octets: bytes, cuts: list[int]) -> list[bytes]:
    """The octets in pieces."""
    edges = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    return [octets[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.tuples(CODES, LINES)), st.sampled_from(["\r\n", "\n"]))
def test_a_reply_reads_as_it_was_written(written: list[tuple[int, list[str]]], ending: str) -> None:
    """Code and lines come back, however many lines and replies there are; a bare line feed ends a line as well."""
    octets = b"".join(wire(code, lines, ending) for code, lines in written)
    assert read_all([octets]) == [
        SmtpReply(code, "\n".join(lines).encode()[:MAX_TEXT_OCTETS].decode("utf-8", "replace"))
        for code, lines in written
    ]


@given(
    st.lists(
        st.one_of(
            st.tuples(CODES, LINES).map(lambda reply: wire(*reply)),
            st.sampled_from(
                [b"250\r\n", b"250-\r\n", b"250-a\n250 b\n", b"xyz\r\n", b"250x\r\n", b"199 a\r\n"]
            ),
            st.binary(max_size=20),
        ),
        max_size=5,
    ).map(b"".join),
    st.lists(st.integers(0, 10_000), max_size=30),
)
def test_how_the_octets_are_cut_does_not_matter(octets: bytes, cuts: list[int]) -> None:
    """Fed whole, in pieces or one at a time, anything at all reads as the same replies and the same garbage."""
    whole = read_all([octets])
    assert read_all(split(octets, cuts)) == whole
    assert read_all([octets[at : at + 1] for at in range(len(octets))]) == whole


@pytest.mark.parametrize(
    "octets",
    [
        b"hello\r\n",
        b"25\r\n",
        b"2500 too long\r\n",
        b"150 preliminary\r\n",
        b"650 private\r\n",
        b"250_ok\r\n",
        b" 250 ok\r\n",
        b"\r\n",
        b"\n",
        b"250-one\r\n251 other\r\n",
        "２５０ fullwidth\r\n".encode(),
        b"\x16\x03\x01\x02\n",
    ],
)
def test_what_is_no_reply_is_garbage(octets: bytes) -> None:
    """Three digits from 200 to 599, then a space, a hyphen or the line's end; one code for all lines."""
    assert read_all([octets]) == ["garbage"]


@pytest.mark.parametrize(
    "piece, before",
    [
        (b"250 " + b"x" * 70_000, b""),
        (b"250-more\r\n" * 7_000, b""),
        (b"250-more\r\n" * 7_000, b"250 ok\r\n"),
    ],
    ids=["one line", "endless continuation", "behind another"],
)
def test_a_reply_without_end_is_garbage_and_not_memory(piece: bytes, before: bytes) -> None:
    """Past the limit nothing more is kept, whether the line or the reply does not end."""
    assert read_all([before, piece])[-1] == "garbage"
    assert read_all([before, *(piece[at : at + 997] for at in range(0, len(piece), 997))])[-1] == "garbage"


def test_a_reply_up_to_the_limit_is_read() -> None:
    """The limit counts the octets of one reply with all its lines; of its text only the head is kept."""
    octets = b"250-" + b"x" * (MAX_REPLY_OCTETS - 6 - 8) + b"\r\n" + b"250 ok\r\n"
    assert len(octets) == MAX_REPLY_OCTETS
    assert read_all([octets, octets]) == [SmtpReply(250, "x" * MAX_TEXT_OCTETS)] * 2
    assert read_all([b"250-x" + octets[4:]]) == ["garbage"]


@pytest.mark.parametrize(
    "text, name",
    [
        ("2.0.0 Ok: queued as 4F1B2C3D5E", "4F1B2C3D5E"),
        ("2.0.0 Ok: queued as 4Zk1Qm3w2Nz9rX", "4Zk1Qm3w2Nz9rX"),
        ("OK id=1rAbCd-0000Ef-2G", "1rAbCd-0000Ef-2G"),
        ("OK ids=d7ef132b5d7711ea8c8c000c29c33806", "d7ef132b5d7711ea8c8c000c29c33806"),
        (
            "2.6.0 <a@b> [InternalId=27960473158, Hostname=X.example.com] 9213 bytes Queued mail for delivery",
            "27960473158",
        ),
        (
            "Ok 0102018abcdef123-1a2b3c4d-1111-2222-3333-444455556666-000000",
            "0102018abcdef123-1a2b3c4d-1111-2222-3333-444455556666-000000",
        ),
        (
            "2.0.0 OK  1700000000 d2e1a72fcca58-6cb2b4f5a6bsi1234567b3a.123 - gsmtp",
            "d2e1a72fcca58-6cb2b4f5a6bsi1234567b3a.123",
        ),
        ("2.0.0 3BAK1V5D012345 Message accepted for delivery", "3BAK1V5D012345"),
        ("ok 1700000000 qp 12345", "1700000000 qp 12345"),
        ("Message Queued (5A3F7C7A-1F4C-4A2B-9F56-2F6D1C1B0F7E.1)", "5A3F7C7A-1F4C-4A2B-9F56-2F6D1C1B0F7E.1"),
        ("2.0.0 Message queued with id 1a2b3c.", "1a2b3c"),
        ("2.0.0 Ok", None),
        ("", None),
        ("queued as \x1b[31mred", None),
        ("queued as " + "x" * 200, None),
        ("queued as кот", None),
    ],
)
def test_the_queue_id_is_found_where_relays_put_it(text: str, name: str | None) -> None:
    """Postfix, Exim, KumoMTA, Exchange, SES, Google, Sendmail, qmail, Haraka, Stalwart; and nothing else passes for one."""
    assert queue_id(text) == name


@given(st.text())
def test_a_queue_id_is_short_and_printable_whatever_the_text(text: str) -> None:
    """What a stranger wrote can neither break a line nor fill one."""
    for form in ("queued as {}", "id={}", "{}"):
        name = queue_id(form.format(text))
        assert name is None or (name.isascii() and name.isprintable() and 0 < len(name) <= 128)
