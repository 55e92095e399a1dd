"""Settings mean the same wherever they stand, the nearer source wins, and whatever is wrong is named at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.app.durations import format_duration
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.app.settings_sources import (
    PREFIX,
    STAND_INS,
    Source,
    from_environment,
    from_file,
    from_flags,
    from_table,
    settings_from,
)
from galaxy_mail.app.settings_values import path_fields, readers
from galaxy_mail.domain.errors import InvalidSettings

HERE = str(Path(__file__).parent)
ADDRESSES = st.sampled_from(["ada@example.org", "ops@example.org", "grace@example.net"])


def spans(low: timedelta, high: timedelta) -> st.SearchStrategy[timedelta]:
    """Durations in whole milliseconds."""
    millisecond = timedelta(milliseconds=1)
    return st.integers(low // millisecond, high // millisecond).map(lambda number: number * millisecond)


SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
GOOD: dict[str, st.SearchStrategy[Any]] = {
    "smtp_url": st.sampled_from(["smtp://127.0.0.1:2525", "smtps://ada:pass%20word@relay.example.org"]),
    "sender": st.sampled_from(["no-reply@example.org", "Galaxy <no-reply@example.org>"]),
    "dsn": st.sampled_from(
        ["postgresql://127.0.0.1/a", "postgres://app:word@db1,db2:5433/b?sslmode=require"]
    ),
    "schema": st.from_regex(r"[a-z_][a-z0-9_]{0,62}", fullmatch=True),
    "statement_cache": st.booleans(),
    "smtp_ca_file": st.just(__file__),
    "smtp_local_hostname": st.just("mail.example.org"),
    "template_dirs": st.lists(st.sampled_from([HERE, str(Path(HERE).parent)]), min_size=1, max_size=3).map(
        tuple
    ),
    "verdicts": st.just(
        ("rcpt 550/5.7.606 -> transient policy keep", "dot 45x -> transient throttle burn # so")
    ),
    "admins": st.lists(ADDRESSES, min_size=1, max_size=3).map(tuple),
    "log_notices": st.booleans(),
    "max_attempts": st.integers(1, 1000),
    "max_age": spans(SECOND, 366 * 24 * HOUR),
    "abandoned_limit": st.integers(1, 1000),
    "backoff_base": spans(timedelta(milliseconds=1), HOUR),
    "backoff_factor": st.floats(1, 100),
    "backoff_cap": spans(HOUR, 24 * HOUR),
    "backoff_jitter": st.floats(0, 0.99),
    "poll_interval": spans(timedelta(milliseconds=10), HOUR),
    "lease": spans(SECOND, HOUR),
    "batch_size": st.integers(1, 10_000),
    "connections": st.integers(1, 1000),
    "stop_grace": spans(timedelta(0), HOUR),
}
REQUIRED = {name: GOOD[name] for name in STAND_INS}
OPTIONAL = {name: values for name, values in GOOD.items() if name not in STAND_INS}
VALUES = st.fixed_dictionaries(REQUIRED, optional=OPTIONAL)


def as_text(value: object) -> str:
    """A value as a variable or a flag holds it."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_toml(value: object) -> object:
    """A value as a TOML parser returns it."""
    if isinstance(value, timedelta):
        return format_duration(value)
    return list(value) if isinstance(value, tuple) else value


def variables(values: dict[str, Any]) -> dict[str, str]:
    """An environment that sets the values."""
    return {PREFIX + name.upper(): as_text(value) for name, value in values.items()}


def in_file(values: dict[str, Any]) -> Source:
    """A file in this folder that sets the values."""
    return from_table({name: as_toml(value) for name, value in values.items()}, Path(HERE, "settings.toml"))


def problems(*sources: Source) -> tuple[str, ...]:
    """What is wrong with the sources together."""
    with pytest.raises(InvalidSettings) as refused:
        settings_from(sources)
    return refused.value.problems


def is_decided(source: Source) -> bool:
    """Whether there are settings, or InvalidSettings that name a problem; any other exception goes on."""
    try:
        return isinstance(settings_from([source], needed=()), MailSettings)
    except InvalidSettings as error:
        return bool(error.problems)


# --- one meaning, one order -------------------------------------------------------------------------------------------


def test_every_setting_can_be_given() -> None:
    """These tests cover each field of MailSettings."""
    assert set(GOOD) == set(readers()) == {field.name for field in attrs.fields(MailSettings)}


@given(VALUES)
def test_a_setting_means_the_same_in_every_source(values: dict[str, Any]) -> None:
    """Flags, environment and file give the settings that their values give to MailSettings."""
    expected = MailSettings(**values)
    assert settings_from([from_environment(variables(values))]) == expected
    assert settings_from([in_file(values)]) == expected
    assert (
        settings_from([from_flags({}, [(name, as_text(value)) for name, value in values.items()])])
        == expected
    )


@given(VALUES, VALUES, VALUES)
def test_the_nearer_source_wins(flags: dict[str, Any], environ: dict[str, Any], file: dict[str, Any]) -> None:
    """Each field comes from the flags if they have it, else from the environment, else from the file, else it is the default."""
    pairs = [(name, as_text(value)) for name, value in flags.items()]
    sources = [from_flags({}, pairs), from_environment(variables(environ)), in_file(file)]
    assert settings_from(sources) == MailSettings(**(file | environ | flags))


def test_an_option_of_its_own_wins_over_set() -> None:
    """``--schema a --set schema=b`` is ``a``; a flag that was not given says nothing."""
    flags = from_flags({"schema": "a", "dsn": None}, [("schema", "b"), ("dsn", "postgresql://x/y")])
    settings = settings_from([flags], needed=())
    assert (settings.schema, settings.dsn) == ("a", "postgresql://x/y")


def test_a_stand_in_takes_the_place_of_what_is_not_needed() -> None:
    """Who only reads the tables need not say where mail would go, and no mail can go there."""
    settings = settings_from([], needed=())
    assert (settings.smtp_url, settings.sender) == tuple(STAND_INS.values())
    assert settings.relay.host.endswith(".invalid")


def test_what_is_needed_and_missing_is_named_with_every_way_to_give_it() -> None:
    """The message for a missing setting says how to give it."""
    assert problems() == (
        "smtp_url: is needed: give --smtp-url, GALAXY_MAIL_SMTP_URL, or smtp_url in the file",
        "sender: is needed: give --sender, GALAXY_MAIL_SENDER, or sender in the file",
    )


# --- the environment ---------------------------------------------------------------------------------------------------


def test_variables_that_are_not_settings_of_ours_are_left_alone() -> None:
    """Empty ones, those that say where things are, and those that Kubernetes makes for a service named galaxy-mail."""
    environ = {
        "PATH": "/bin",
        "GALAXY_MAIL_DSN": "",
        "GALAXY_MAIL_HOME": "/x",
        "GALAXY_MAIL_CONFIG": "/y",
        "GALAXY_MAIL_TEST_DSN": "postgresql://x",
        "GALAXY_MAIL_SERVICE_HOST": "10.0.0.1",
        "GALAXY_MAIL_PORT": "tcp://10.0.0.1:80",
        "GALAXY_MAIL_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    source = from_environment(environ)
    assert (source.values, source.problems) == ({}, ())


# --- the file ----------------------------------------------------------------------------------------------------------


def test_a_file_is_read_and_its_paths_start_at_its_folder(tmp_path: Path) -> None:
    """A relative path in a file means the same from wherever the command is called."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "ca.pem").touch()
    file = tmp_path / "mail.toml"
    file.write_text(
        '[galaxy_mail]\nlease = "30s"\nmax_attempts = 3\nbackoff_factor = 3\nstatement_cache = false\n'
        'template_dirs = ["templates"]\nsmtp_ca_file = "ca.pem"\nadmins = ["ada@example.org"]\n[another]\nkey = 1\n'
    )
    settings = settings_from([from_file(file)], needed=())
    assert (settings.lease, settings.max_attempts, settings.backoff_factor) == (timedelta(seconds=30), 3, 3)
    assert (settings.statement_cache, settings.admins) == (False, ("ada@example.org",))
    assert settings.template_dirs == (str(tmp_path / "templates"),)
    assert settings.smtp_ca_file == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    "text, what",
    [
        (None, "No such file or directory"),
        (b"[galaxy_mail", "is not TOML"),
        (b'dsn = "hunter2', "is not TOML"),
        (b"\xff", "is not TOML"),
        (b"x = " + b"[" * 5000, "is not TOML"),
        (b"", "has no table [galaxy_mail]"),
        (b"galaxy_mail = 1", "has no table [galaxy_mail]"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_problem(tmp_path: Path, text: bytes | None, what: str) -> None:
    """It is named, and nothing of what it holds is repeated."""
    file = tmp_path / "mail.toml"
    if text is not None:
        file.write_bytes(text)
    assert f"{file}: {what}" in problems(from_file(file))


def test_a_verdict_that_cannot_be_read_is_named_by_line_and_word() -> None:
    """Of a list in a variable, too; with every other problem at once."""
    lines = "rcpt 550 -> transient policy keep, rctp 551 -> transient policy keep, dot 554 -> success"
    told = problems(from_environment({"GALAXY_MAIL_VERDICTS": lines, "GALAXY_MAIL_SENDER": "nobody"}))
    named = [problem for problem in told if problem.startswith("verdicts (GALAXY_MAIL_VERDICTS): line ")]
    assert [problem.split("line ")[1][:12] for problem in named] == [
        "2 has 'rctp'",
        "2 names no s",
        "3 has 'succe",
    ] + ["3 needs one "] * 3
    assert any(problem.startswith("sender (GALAXY_MAIL_SENDER): ") for problem in told)


# --- everything at once, and no value ------------------------------------------------------------------------------------

BAD_TEXTS = {
    "dsn": "mysql://ada:hunter2@db/x",
    "smtp_url": "smtp://ada:hunter2@h?tls=hunter2",
    "sender": "hunter2",
    "schema": "hunter2-x",
    "statement_cache": "hunter2",
    "smtp_ca_file": "/hunter2",
    "verdicts": "hunter2",
    "admins": "hunter2",
    "log_notices": "hunter2",
} | {name: "hunter2" for name in GOOD if any(word in name for word in ("max", "back", "limit", "interval", "lease", "batch", "conn", "grace"))}  # fmt: skip


@given(
    st.sets(st.sampled_from(sorted(BAD_TEXTS)), min_size=1),
    st.sets(st.from_regex("[a-z]{12}", fullmatch=True)),
)
def test_every_problem_is_named_with_its_place_and_without_its_value(
    bad: set[str], unknown: set[str]
) -> None:
    """However many settings are wrong or unknown, one error names each of them once, where it was found, and no value."""
    values = {name: BAD_TEXTS[name] for name in bad} | dict.fromkeys(unknown, "hunter2")
    good = {"smtp_url": "smtp://127.0.0.1", "sender": "ada@example.org"}
    for source, place in (
        (from_environment({PREFIX + name.upper(): value for name, value in (good | values).items()}), PREFIX),
        (from_table(good | values, Path("mail.toml")), "mail.toml"),
        (from_flags({}, list((good | values).items())), "--"),
    ):
        found = problems(source)
        assert all(place in problem and "hunter2" not in problem.replace("/hunter2", "") for problem in found)
        assert {problem.split()[0] for problem in found if problem.split()[0] in bad} == bad
        assert all(any(name in problem.lower() for problem in found) for name in unknown)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANY))
def test_any_value_in_a_file_is_taken_or_refused(values: dict[str, Any]) -> None:
    """There are settings or InvalidSettings, whatever a file says, and never another exception."""
    assert is_decided(from_table(values, Path("mail.toml")))


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), st.text(max_size=300)))
def test_any_text_in_the_environment_is_taken_or_refused(values: dict[str, str]) -> None:
    """As for files."""
    environ = {PREFIX + name.upper(): value for name, value in values.items()}
    assert is_decided(from_environment(environ))


def test_paths_are_known_by_their_type() -> None:
    """A new setting that holds a path starts at the file's folder too, without being listed anywhere."""
    assert path_fields() == {"smtp_ca_file", "template_dirs"}


def test_a_source_hides_its_values() -> None:
    """A source that ends up in a log shows no password."""
    assert "hunter2" not in repr(from_environment({"GALAXY_MAIL_DSN": "postgresql://ada:hunter2@db/x"}))
