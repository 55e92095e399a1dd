"""The reader of replies, against a slow one that knows nothing of buffers; and what replies mean."""

from __future__ import annotations

from itertools import pairwise

from galaxy_mail.adapters.smtp.replies import (
    MAX_REPLY_OCTETS,
    MAX_TEXT_OCTETS,
    GarbageReply,
    ReplyReader,
    queue_id,
)
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import MAX_DETAIL_OCTETS, Fault, Signal, SmtpReply, Stage, Verdict
from tests.fuzz.engine import Target
from tests.fuzz.octets import Octets

WORDS = (
    b"250 ok\r\n", b"250-more\r\n", b"250-", b"250\r\n", b"354 go\n", b"421 bye\r\n", b"550 5.1.1 no\r\n", b"\r\n", b"\n", b"\r",
    b"4.7.0 ", b"452 4.5.3 too many recipients\r\n", b"queued as ", b"id=", b"\xff", b"\xe2\x80\xa8", b"x" * 64,
)  # fmt: skip

Said = list[SmtpReply | str]


def run(octets: bytes) -> None:
    """However the octets are cut, the same replies come out, and each has a meaning."""
    source = Octets(octets)
    sizes = [1 + source.number(64) for _ in range(source.number(8))]
    times = source.choice((1, 1, 1, 1, 1, 1, 1, 40))
    said = source.rest() * times
    expected = slowly(said)
    assert quickly([said]) == expected
    edges = [*(sum(sizes[:n]) for n in range(len(sizes) + 1)), len(said)]
    assert quickly([said[a:b] for a, b in pairwise(sorted(edges))]) == expected
    if times == 1:
        assert quickly([said[at : at + 1] for at in range(len(said))]) == expected
    for reply in list(dict.fromkeys(expected))[:3]:
        if isinstance(reply, SmtpReply):
            check_meaning(reply)


def quickly(pieces: list[bytes]) -> Said:
    """What the reader reads."""
    reader, said = ReplyReader(), Said()
    try:
        for piece in pieces:
            reader.feed(piece)
            while reply := reader.next_reply():
                said.append(reply.signal)
    except GarbageReply:
        return [*said, "garbage"]
    return [*said, *["partial"] * reader.partial]


def slowly(octets: bytes) -> Said:
    """The same, line by line (RFC 5321 section 4.2)."""
    said, texts, code, taken = Said(), list[bytes](), b"", 0
    *lines, rest = octets.split(b"\n")
    for line in lines:
        taken += len(line) + 1
        head, mark, text = line[:3], line[3:4], line[4:].removesuffix(b"\r")
        known = len(head) == 3 and head.isdigit() and b"200" <= head <= b"599"
        known = known and (mark in (b" ", b"-", b"") or line[3:] == b"\r")
        if not known or (code and head != code) or taken > MAX_REPLY_OCTETS:
            return [*said, "garbage"]
        texts.append(text)
        code = head
        if mark != b"-":
            said.append(SmtpReply(int(code), b"\n".join(texts)[:MAX_TEXT_OCTETS].decode("utf-8", "replace")))
            texts, code, taken = [], b"", 0
    if taken + len(rest) > MAX_REPLY_OCTETS:
        return [*said, "garbage"]
    return [*said, *["partial"] * bool(rest or code)]


def check_meaning(reply: SmtpReply) -> None:
    """At every stage there is a verdict, and what is kept of the text can do no harm."""
    for stage in Stage:
        check_verdict(classify(stage, reply), stage, reply)
    name = queue_id(reply.text)
    assert name is None or (name.isascii() and name.isprintable() and 0 < len(name) <= 128)


def check_verdict(verdict: Verdict, stage: Stage, signal: Signal) -> None:
    """The laws that hold for every verdict."""
    assert verdict.stage is stage
    assert len(verdict.detail) <= MAX_DETAIL_OCTETS
    assert verdict.detail == "" or (verdict.detail.isascii() and verdict.detail.isprintable())
    assert not verdict.ambiguous or stage in (Stage.DOT, Stage.ABANDONED)
    if verdict.outcome is AttemptOutcome.SUCCESS:
        assert isinstance(signal, SmtpReply)
        assert signal.code < 300 or (stage is Stage.DATA and signal.code == 354)
    if isinstance(signal, Fault):
        assert verdict.fault is signal
    else:
        assert (verdict.code, verdict.fault) == (signal.code, None)


REPLIES = Target("replies", run, WORDS, (b"\0\0250-a\r\n250 b\r\n", b"\0\x03250 ok\r\n"))
