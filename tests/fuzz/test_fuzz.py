"""A short hunt in every target, from a corpus that reaches far; and the hunter is awake: it finds what is planted."""

from __future__ import annotations

import re
from typing import Any

import pytest

from galaxy_mail.adapters.smtp import replies, session
from galaxy_mail.app import relay_url
from galaxy_mail.domain import addresses, bodies, headers, verdict_rules
from galaxy_mail.domain.verdicts import Stage
from tests.fuzz import deployment
from tests.fuzz.corpus import read_corpus
from tests.fuzz.engine import hunt, outcome
from tests.fuzz.maze import MAZE
from tests.fuzz.targets import TARGETS

RUNS = {
    "replies": 300,
    "session": 600,
    "relay": 60,
    "message": 300,
    "address": 1_500,
    "verdict": 800,
    "settings": 400,
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_hunt_finds_nothing(name: str) -> None:
    """Everything that the corpus reaches, and a little around it: no law is broken."""
    told = hunt(TARGETS[name], seed=1, runs=RUNS[name], corpus=read_corpus(name))
    assert (told.error, told.found) == (None, None)
    assert told.runs == RUNS[name]


def test_it_is_led_by_what_it_reaches() -> None:
    """A door behind doors is found by who is told of the first one; blindly, not in three times as many runs."""
    led = hunt(MAZE, seed=1, runs=40_000)
    assert isinstance(led.error, LookupError)
    assert led.found == b"FUZZ"
    assert hunt(MAZE, seed=1, runs=3 * led.runs, guided=False).error is None


def test_the_same_seed_hunts_the_same() -> None:
    """So that what was found can be found again; but for the first time, when caches are empty."""
    _, one, two = (hunt(TARGETS["address"], seed=7, runs=300) for _ in range(3))
    assert one.kept == two.kept
    assert one.arcs == two.arcs > 0


def _ignore(*_: object) -> None:
    """Do nothing."""


def _keep_replies(self: session.Session, signal: Any, stage: Any = None) -> None:
    """The end of a session without the doubt in what was not proved."""
    self.open = False
    self._asked.clear()
    self._outgoing.clear()
    self._body = b""
    while self._line:
        self._line[0].decide(stage or self._line[0].stage, signal)
        self._finish(self._line[0])


def _blame_the_first(self: session.Session, transaction: Any, index: int, reply: replies.Reply) -> None:
    if reply.code >= 400:
        transaction.signals[0] = transaction.signals[0] or (Stage.RCPT, reply.signal)
    if index == transaction.recipients - 1:
        transaction.stage = Stage.DATA
    self._step(transaction)


PLANTED: dict[str, tuple[str, object, str, object]] = {
    "a reply that nobody asked for is dropped": ("session", session.Session, "_read_unasked", _ignore),
    "the second mail is told of the first one's end": ("session", session.Session, "_end", _keep_replies),
    "a refusal is told to the first recipient": ("session", session.Session, "_read_rcpt", _blame_the_first),
    "a reply may end where a line does": ("replies", replies.ReplyReader, "partial", property(lambda reader: reader._at < len(reader._fed))),
    "dots stay at the beginning of a line": ("message", bodies, "_FRAGILE", re.compile(rb"(?!)")),
    "a subject may hold a line break": ("message", headers, "control_character", lambda _: None),
    "a display name may hold specials": ("address", addresses, "_unquote", lambda name, _: name),
    "a remote text is shown as it is": ("verdict", verdict_rules, "escaped", lambda text, limit: text[:limit]),
    "a login may go in clear": ("settings", relay_url, "_security", lambda _: relay_url.Security.NONE),
    "a URL shows its password": ("settings", deployment, "masked_url", str),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_planted_bugs_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a few thousand runs, from a corpus that was made without it, as an input that fails again."""
    target, owner, attribute, planted = PLANTED[name]
    monkeypatch.setattr(owner, attribute, planted)
    told = hunt(TARGETS[target], seed=1, runs=20_000, corpus=read_corpus(target))
    assert told.error is not None, "it was not found"
    assert told.found is not None
    assert outcome(TARGETS[target], told.found) is not None
    monkeypatch.undo()
    assert outcome(TARGETS[target], told.found) is None, "it fails without the bug"
