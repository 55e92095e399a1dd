"""What an operator writes: URLs, durations, variables, overrides of verdicts. Wrong is named, and never repeated."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import attrs

from galaxy_mail.app.container import relay_config
from galaxy_mail.app.durations import parse_duration
from galaxy_mail.app.relay_url import Relay, Security, parse_relay
from galaxy_mail.app.settings import MailSettings, masked_url
from galaxy_mail.app.settings_sources import PREFIX, from_environment, settings_from
from galaxy_mail.app.settings_values import readers
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.text import control_character
from galaxy_mail.domain.verdict_overrides import parse_overrides
from galaxy_mail.domain.verdict_table import VerdictTable, classify
from galaxy_mail.domain.verdicts import Fault, SmtpReply, Stage
from tests.fuzz.engine import Target
from tests.fuzz.octets import Octets
from tests.fuzz.replies import check_verdict

SECRET = "hunter2"
WORDS = (
    b"smtp://", b"smtps://", b"postgresql://", b"user:hunter2@", b":hunter2@", b"@", b"localhost", b"127.0.0.1", b"[::1]", b":25", b":0",
    b":99999", b"?tls=none", b"?tls=starttls", b"&", b"#", b"/", b"%00", b"%", b"hunter2", b"10s", b"5 m", b"1e9", b"-", b"true", b"nan", b"inf",
    b",", b"\n", b"\0", b"\xe2\x84\x80", b"\xff", b"[", b"]", b"a@b.org", b"rcpt 550/5.7.606 -> transient policy keep", b" -> ", b"4xx", b"dot ",
    b"permanent recipient burn long", b"9" * 20,
)  # fmt: skip
REPEATED = {"template_dirs", "verdicts"}  # fields whose errors name a path, or a word
NAMES = tuple(readers())


def run_settings(octets: bytes) -> None:
    """A relay whose password is hidden and never goes in clear, and settings; or every problem by its name."""
    source = Octets(octets)
    name = source.choice(NAMES)
    text = source.rest().decode("utf-8", "surrogateescape")
    try:
        relay = parse_relay(text)
    except InvalidSettings as refused:
        check_told("smtp_url", refused)
    else:
        check_relay(relay, text)
    masked_url(text)
    masked = masked_url(f"smtps://u:{SECRET}{text}@mx.example.org/")
    assert SECRET not in masked.replace(text, "")
    with suppress(ValueError):
        assert isinstance(parse_duration(text), timedelta)
    try:
        settings = settings_from([from_environment({PREFIX + name.upper(): text})], needed=())
    except InvalidSettings as refused:
        check_told(name, refused)
    else:
        assert isinstance(settings, MailSettings)
        assert settings.runtime.retry.backoff.base <= settings.runtime.retry.backoff.cap


def check_relay(relay: Relay, url: str) -> None:
    """One that the sender can be made of, with a password that is neither shown nor sent in clear."""
    assert relay.host
    assert 0 < relay.port < 65_536
    assert not control_character(f"{relay.host}{relay.username}{relay.password}")
    assert relay.username is None or (relay.username and relay.security is not Security.NONE)
    assert SECRET not in repr(attrs.evolve(relay, username="", host=""))
    token = None if relay.password or not relay.username else str
    assert relay_config(MailSettings(smtp_url=url, sender="a@b.org"), token).host == relay.host


def check_told(name: str, refused: InvalidSettings) -> None:
    """Something is said, and no value is repeated."""
    assert refused.problems
    assert name in REPEATED or SECRET not in str(refused)


def run_verdict(octets: bytes) -> None:
    """Any reply or fault at any stage has a verdict; overrides change what refusals mean and nothing else."""
    source = Octets(octets)
    stage, fault = source.choice(tuple(Stage)), source.choice((None, *Fault))
    code = source.choice((250, 354, 421, 450, 550, 200 + source.number(200), 400 + source.number(200)))
    enhanced = source.text(12) if source.chance() else None
    overrides = [source.text(80) for _ in range(source.number(3))]
    text = source.rest().decode("utf-8", "surrogateescape")
    signal = fault or SmtpReply(code, text, enhanced)
    usual = classify(stage, signal)
    check_verdict(usual, stage, signal)
    with suppress(InvalidSettings):
        verdict = VerdictTable(parse_overrides(overrides)).classify(stage, signal)
        check_verdict(verdict, stage, signal)
        assert (verdict.outcome is AttemptOutcome.SUCCESS) == (usual.outcome is AttemptOutcome.SUCCESS)
        assert fault is None or verdict == usual


SETTINGS = Target("settings", run_settings, WORDS, (b"\0smtps://u:hunter2@mx.example.org",))
VERDICT = Target("verdict", run_verdict, (*WORDS, b"5.7.1 ", b"4.7.28 rate", b"too many recipients"), (b"",))
