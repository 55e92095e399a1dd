"""The demo's inbox takes in what a real client sends, octet for octet, and keeps an honest ledger."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.app.demo.inbox import HOST, Arrival, Inbox, Refusal

BUSY, GONE = "busy@example.org", "gone@example.org"


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """One that is busy once and strict always."""
    async with Inbox({BUSY: "450 4.2.0 later"}, {GONE: "550 5.1.1 no"}) as inbox:
        yield inbox


async def talk(inbox: Inbox, octets: bytes) -> list[str]:
    """Say all of it at once, as a pipelining client may, and QUIT; the replies' last lines."""
    reader, writer = await asyncio.open_connection(HOST, int(inbox.url.rsplit(":", 1)[1]))
    writer.write(octets + b"QUIT\r\n")
    said = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return [line for line in said.splitlines() if line[3:4] == " "]


def mail(*recipients: str, body: bytes = b"Message-ID: <1@x>\r\n\r\nhello\r\n") -> bytes:
    """A transaction, dot-stuffed."""
    named = "".join(f"RCPT TO:<{recipient}>\r\n" for recipient in recipients)
    stuffed = b"".join(
        b"." + line if line.startswith(b".") else line for line in body.splitlines(keepends=True)
    )
    return f"MAIL FROM:<a@x>\r\n{named}DATA\r\n".encode() + stuffed + b".\r\n"


def codes(replies: list[str]) -> list[str]:
    """Their codes."""
    return [reply[:3] for reply in replies]


LINES = st.lists(
    st.binary(max_size=40).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n")
)


@given(st.lists(LINES.map(b"".join), min_size=1, max_size=3))
async def test_what_is_sent_is_kept_octet_for_octet(bodies: list[bytes]) -> None:
    """Any lines, dots and all, mail behind mail on one connection, in one write."""
    async with Inbox({}, {}) as inbox:
        replies = await talk(
            inbox, b"EHLO me\r\n" + b"".join(mail("ada@example.org", body=body) for body in bodies)
        )
    assert codes(replies) == ["220", "250", *["250", "250", "354", "250"] * len(bodies), "221"]
    assert [arrival.octets for arrival in inbox.arrivals] == bodies


async def test_a_busy_address_is_accepted_the_second_time(inbox: Inbox) -> None:
    """Its first reply is 450, and the ledger has it."""
    assert codes(await talk(inbox, mail(BUSY).partition(b"DATA")[0])) == ["220", "250", "450", "221"]
    assert codes(await talk(inbox, mail(BUSY)))[1:5] == ["250", "250", "354", "250"]
    assert inbox.refusals == [Refusal(BUSY, "450 4.2.0 later")]
    assert [arrival.recipients for arrival in inbox.arrivals] == [(BUSY,)]


async def test_a_strict_address_is_never_accepted(inbox: Inbox) -> None:
    """It is refused each time; the others of the same mail get theirs, in one copy that names them alone."""
    for _ in range(2):
        await talk(inbox, mail("ada@example.org", GONE, "joan@example.org"))
    assert [arrival.recipients for arrival in inbox.arrivals] == [("ada@example.org", "joan@example.org")] * 2
    assert inbox.refusals == [Refusal(GONE, "550 5.1.1 no")] * 2


async def test_nothing_is_taken_in_for_nobody(inbox: Inbox) -> None:
    """With no recipient accepted DATA is refused, so its body is no mail."""
    replies = await talk(inbox, mail(GONE).partition(b"Message-ID")[0])
    assert codes(replies) == ["220", "250", "550", "503", "221"]
    assert inbox.arrivals == []


async def test_commands_out_of_order_are_refused(inbox: Inbox) -> None:
    """RCPT before MAIL, an unknown verb; RSET forgets who was named."""
    replies = await talk(
        inbox, b"RCPT TO:<ada@x>\r\nFLY\r\nMAIL FROM:<a@x>\r\nRCPT TO:<ada@x>\r\nRSET\r\nDATA\r\nNOOP\r\n"
    )
    assert codes(replies) == ["220", "503", "502", "250", "250", "250", "503", "250", "221"]


async def test_a_client_that_leaves_in_the_middle_leaves_no_mail(inbox: Inbox) -> None:
    """A body without its dot was never received."""
    reader, writer = await asyncio.open_connection(HOST, int(inbox.url.rsplit(":", 1)[1]))
    writer.write(mail("ada@example.org").removesuffix(b".\r\n"))
    writer.write_eof()
    await reader.read()
    writer.close()
    assert inbox.arrivals == []


async def test_an_inbox_that_closes_ends_every_conversation() -> None:
    """Nobody is waited for, and the client sees the end."""
    async with Inbox({}, {}) as inbox:
        reader, writer = await asyncio.open_connection(HOST, int(inbox.url.rsplit(":", 1)[1]))
        assert (await reader.readline()).startswith(b"220")
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    assert inbox.arrivals == []


async def test_what_happens_is_told_as_it_happens() -> None:
    """Arrivals and refusals, in their order."""
    told: list[Arrival | Refusal] = []
    async with Inbox({}, {GONE: "550 5.1.1 no"}, told.append) as inbox:
        await talk(inbox, mail(GONE, "ada@example.org"))
    assert told == [*inbox.refusals, *inbox.arrivals]


def test_the_message_id_is_that_of_the_header() -> None:
    """One in the body is none; without any it is empty."""
    assert (
        Arrival(("a",), b"Subject: x\r\nmessage-id: <1@x>\r\n\r\nMessage-ID: <2@x>\r\n").message_id == "1@x"
    )
    assert Arrival(("a",), b"Subject: x\r\n\r\nMessage-ID: <2@x>\r\n").message_id == ""
