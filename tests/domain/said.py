"""What is said in SMTP conversations, for tests: a file of real replies, and strategies for any reply whatever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage, Verdict

OUTCOMES = {
    "success": AttemptOutcome.SUCCESS,
    "transient": AttemptOutcome.TRANSIENT_ERROR,
    "permanent": AttemptOutcome.PERMANENT_ERROR,
}


class Case(NamedTuple):
    """One line of the data file."""

    server: str
    stage: Stage
    reply: SmtpReply
    expected: str


def cases() -> Iterator[Case]:
    """The lines of the data file, each with the server it is from."""
    server = ""
    for line in (Path(__file__).parent / "real_replies.txt").read_text().splitlines():
        if line.startswith("["):
            server = line[1:].partition(":")[0].partition("]")[0]
        elif line and not line.startswith("#"):
            said, expected = line.rsplit(" => ", 1)
            stage, code, *text = said.split(" ", 2)
            reply = SmtpReply(int(code), "".join(text).replace(r"\n", "\n"))
            yield Case(server, Stage(stage), reply, expected)


CASES = list(cases())

stages = st.sampled_from(Stage)
texts = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3} .{0,20}", fullmatch=True),
    st.sampled_from([case.reply.text for case in CASES]),
    st.sampled_from(
        ["too many recipients", "rate limited", "relay denied", "throttled\r\n250 Ok", "\ud800", "x" * 5000]
    ),
)
enhanced = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.builds("{}.{}.{}".format, st.integers(2, 5), st.integers(0, 9), st.integers(0, 30)),
    st.sampled_from(
        ["4.7.28", "4.5.3", "5.5.3", "5.7.1", "5.2.2", "5.3.4", "5.1.8", "4.2.0", "4.4.1", "4.7.0"]
    ),
)
codes = st.one_of(
    st.integers(200, 599),
    st.integers(),
    st.sampled_from([250, 251, 252, 354, 421, 450, 451, 452, 454, 521, 530, 535, 550, 551, 552, 553, 554]),
)
replies = st.builds(SmtpReply, codes, texts, enhanced)
faults = st.sampled_from(Fault)
signals = st.one_of(replies, faults)


def short(verdict: Verdict) -> str:
    """The verdict in the words of the data file."""
    outcome = next(name for name, outcome in OUTCOMES.items() if outcome is verdict.outcome)
    burns = "burn" if verdict.burns_attempt else "keep"
    return " ".join([outcome, verdict.blame, burns, *["ambiguous"] * verdict.ambiguous])


def text_of(signal: Signal) -> str:
    """The reply's text, nothing for a fault."""
    return signal.text if isinstance(signal, SmtpReply) else ""
