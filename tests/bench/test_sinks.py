from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bench.sink import Session, arrivals
from bench.sinks import Arrivals

MAIL = (
    b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
    b"Message-ID: <%d@b.example>\r\n\r\ntext\r\n..\r\n.\r\n"
)


class Wire:
    """Takes what the sink answers."""

    def __init__(self) -> None:
        self.written = b""

    def get_extra_info(self, name: str) -> None:
        """It has no socket."""

    def write(self, octets: bytes) -> None:
        """Keep it."""
        self.written += octets


@given(st.integers(1, 5), st.lists(st.integers(0, 900), max_size=20))
def test_the_sink_counts_every_mail_however_the_octets_come(mails: int, cuts: list[int]) -> None:
    """Pipelined or in pieces: each mail is noted once, by its Message-ID, and each command answered."""
    octets = b"EHLO x\r\n" + b"".join(MAIL % number for number in range(mails)) + b"QUIT\r\n"
    arrivals.clear()
    session, wire = Session(0.0), Wire()
    session.connection_made(wire)  # type: ignore[arg-type]
    places = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    for start, end in pairwise(places):
        session.data_received(octets[start:end])
    assert [name for _, name in arrivals] == [b"%d@b.example" % number for number in range(mails)]
    codes = [line[:3] for line in wire.written.splitlines() if line[3:4] == b" "]
    assert codes == [b"220", b"250", *[b"250", b"250", b"354", b"250"] * mails, b"221"]


def test_copies_and_losses_are_grievances() -> None:
    """One mail that came twice and one that never came do not add up to a right run, where the sink knows names."""
    seen = Arrivals(2, 0.0, 1.0, {"a@b": [0.0, 1.0]})
    assert seen.grievances(2) == ["1 mails arrived more than once", "1 mails did not arrive"]
    assert Arrivals(2, 0.0, 1.0, {"a@b": [0.0], "c@d": [1.0]}).grievances(2) == []
    assert Arrivals(3, 0.0, 1.0).grievances(2) == ["3 copies of 2 mails arrived"]
