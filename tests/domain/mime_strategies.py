"""What to compose: texts as awkward as people, templates and attackers make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import attrs
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress, Mailbox
from galaxy_mail.domain.mime import Message

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ADA = Mailbox(EmailAddress("ada", "example.org"))
PLAIN = Message("1@example.org", NOON, ADA, "Hello", "Hello\n", to=(ADA,))

# What no header can hold in any encoding.
CONTROLS = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029", "\ud800", "\udfff"]

_HEADER_PIECES = st.sampled_from([
    " ", "  ", " " * 80, "a", "Ada", "Lovelace,", "O'Neill", "löögin", "código 493817", '"', "\\", "\\\\", '\\"', "(", ")", "<", ">", "@",
    ";", ":", ".", "_", "=", "?", "=?", "?=", "=?=", "=_", "=3D", "=?utf-8?q?=0D=0ABcc:_eve@example.org?=", "=?utf-8?b?QQ==?=",
    "=?x?", "a@b.example,", "Bcc: eve@example.org", "w" * 64, "w" * 80, "w" * 300, "ü" * 40, "漢" * 30, "漢字かな ", "Привет, ",
    "שלום ", "مرحبا ", "e\u0301", "न्\u200dष", "a" + "\u0300" * 40, "👩‍👩‍👧‍👦", "👍🏽", "🇦🇹🇩🇪", "\xa0", "\u3000", "\xad", "\u200b", "\u202e",
    "\ufeff", "\U0010ffff", "\ue000",
])  # fmt: skip
_BODY_PIECES = st.sampled_from([
    "\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n\r", ".", "\n.", "\n.\n", "\r\n.\r\n", "\n.\r", "..", "From ", "\nFrom me", "From",
    " ", "  \n", "\t", "\t\n", "=", "==", "=\n", "=_", "--", "\n--=_", "--=_db27c3f6cfc2fbe0d211daf4--", "=3D", "=20", "a", "Ada",
    "A plain line of text.", "<p style='color:red'>", "x" * 73, "x" * 74, "x" * 75, "x" * 76, "x" * 77, "x" * 78, "x" * 79, "x" * 1000,
    "." * 80, "F" * 72, "From " * 20, "=" * 80, " " * 80, "ü", "ü" * 40, "漢字", "漢" * 100, "😀", "e\u0301", "שלום", "\x01", "\x0b",
    "\x0c", "\x1a", "\x1b[31m", "\x1c", "\x7f", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\U0010ffff",
])  # fmt: skip
_HEADER_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=8)
_BODY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def _joined(pieces: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(pieces, max_size=most).map("".join)


any_text = st.text(st.characters(exclude_categories=[]))  # surrogates and all
encodable_text = st.text(st.characters(exclude_categories=["Cs"]))
header_texts = _joined(_HEADER_PIECES, 6) | _joined(_HEADER_PIECES | _HEADER_TEXT, 6)
body_texts = _joined(_BODY_PIECES, 16) | _joined(_BODY_PIECES | _BODY_TEXT, 16)

_ASCII = (
    "ada@example.org",
    "a.b+c@mail.example.com",
    "o'neill@bücher.example",
    "a=?b?=@example.org",
    f"{'x' * 64}@{'d' * 60}.example",
)
_UTF8 = ("jürgen@example.org", "用户@bücher.example")
addresses = st.sampled_from(_ASCII + _UTF8).map(EmailAddress.parse)
mailboxes = st.builds(Mailbox, addresses, header_texts)
mailbox_lists = st.lists(mailboxes, max_size=2).map(tuple)

message_ids = st.from_regex(r"[a-z0-9]{1,9}(\.[A-Z0-9]{1,5})?@[a-z]{1,10}\.example", fullmatch=True)
zones = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(timezone)
instants = st.builds(
    lambda seconds, zone: datetime.fromtimestamp(seconds, UTC).astimezone(zone),
    st.floats(-2e9, 2e11),  # from 1906 to 8307
    st.just(UTC) | zones,
)

headers_to_compose = st.builds(
    Message,
    message_id=message_ids,
    date=instants,
    sender=mailboxes,
    subject=header_texts,
    text=st.just("Hello\n"),
    to=mailbox_lists,
    cc=mailbox_lists,
    reply_to=mailbox_lists,
)
bodies_to_compose = st.builds(
    Message,
    message_id=message_ids,
    date=st.just(NOON),
    sender=st.just(ADA),
    subject=st.just("Hello"),
    text=body_texts,
    html=st.none() | body_texts,
)
messages = st.builds(
    lambda header, bodies: attrs.evolve(header, text=bodies.text, html=bodies.html),
    headers_to_compose,
    bodies_to_compose,
)
