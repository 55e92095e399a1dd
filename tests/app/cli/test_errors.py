"""What goes wrong is told in a clear line, with the right code, and without a secret or a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path

import pytest

from galaxy_mail.app import cli as module
from galaxy_mail.domain.errors import SchemaOutdated, StoreUnavailable
from tests.app.cli.conftest import COMMAND, Cli, Ran


def test_every_bad_setting_is_named_at_once_and_no_secret(
    environ: dict[str, str], cli: Cli, tmp_path: Path
) -> None:
    """Flags, environment and file have one list of problems between them, the code is 2, and passwords are not in it."""
    file = tmp_path / "mail.toml"
    file.write_text('[galaxy_mail]\nlease = "hunter2"\nnonsense = "hunter2"\n')
    environ |= {"GALAXY_MAIL_SMTP_URL": "smtp://ada:hunter2@relay?tls=no", "GALAXY_MAIL_MAX_ATTEMPTS": "0"}
    refused = cli(
        "worker", "--dsn", "mysql://ada:hunter2@db", "--set", "batch_size=hunter2", "--config", str(file)
    )
    assert (refused.code, refused.out) == (2, "")
    assert "hunter2" not in refused.err
    for place in (
        "dsn (--dsn)",
        "smtp_url (GALAXY_MAIL_SMTP_URL)",
        "max_attempts (GALAXY_MAIL_MAX_ATTEMPTS)",
        "lease (mail.toml)",
        "nonsense in mail.toml",
        "batch_size (--set batch_size=)",
        "sender: is needed",
    ):
        assert refused.err.count(f"  - {place}") == 1, place


def test_the_file_may_be_named_by_a_variable(environ: dict[str, str], cli: Cli, tmp_path: Path) -> None:
    """GALAXY_MAIL_CONFIG does what --config does, and --config wins."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(f'[galaxy_mail]\nschema = "{name}"\n')
    environ["GALAXY_MAIL_CONFIG"] = str(tmp_path / "one.toml")
    assert 'create schema if not exists "one";' in cli("migrate", "--sql").out
    other = str(tmp_path / "two.toml")
    assert 'create schema if not exists "two";' in cli("migrate", "--sql", "--config", other).out


@pytest.mark.parametrize(
    "dsn, what",
    [
        (
            "postgresql://ada:hunter2@127.0.0.1:1/x",
            "the store failed in connect (ConnectionRefusedError): is the database there",
        ),
        # Which of two event loops is installed decides who notices: the driver, or the connection that it tries.
        ("postgresql://ada:hunter2@127.0.0.1:99999,127.0.0.1/x", "galaxy-mail: "),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_failure(cli: Cli, dsn: str, what: str) -> None:
    """No traceback, no password."""
    refused = cli("stats", "--dsn", dsn)
    assert refused.code in (1, 2)
    assert (what in refused.err, "hunter2" in refused.err, refused.out) == (True, False, "")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("stats", "--smtp-ur", "smtp://ada:hunter2@relay"),
        ("stats", "--smtp-ur=smtp://ada:hunter2@relay"),
        ("postgresql://ada:hunter2@db", "stats"),
        ("stats", "postgresql://ada:pass hunter2@db"),
        ("send", "note", "--secret", "=hunter2"),
        ("send", "note", "--var", "hunter2"),
        ("send", "note", "--ttl", "hunter2"),
        ("send", "note", "--send-at", "hunter2"),
        ("resend", "hunter2"),
        ("migrate", "--sql", "--check"),
    ],
)
def test_wrong_usage_is_2_and_repeats_no_value(cli: Cli, arguments: tuple[str, ...]) -> None:
    """A mistyped option may have a password beside it."""
    refused = cli(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert "usage: galaxy-mail" in refused.err
    assert "hunter2" not in refused.err


def test_an_unknown_word_is_shown(cli: Cli) -> None:
    """What is no option and stands behind none is no secret."""
    assert "unrecognized arguments: now" in cli("stats", "now").err


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("send", "--help")])
def test_help_and_version_are_printed(cli: Cli, arguments: tuple[str, ...]) -> None:
    """On standard output, with 0."""
    told = cli(*arguments)
    assert (told.code, told.err, "galaxy-mail" in told.out) == (0, "", True)


def failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command end like this."""

    def fail(main: Coroutine[None, None, int]) -> int:
        main.close()
        raise error

    monkeypatch.setattr(module, "_await", fail)


def test_an_interrupt_is_130_and_silent(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no error to explain."""
    failing_with(KeyboardInterrupt(), monkeypatch)
    assert cli("stats") == Ran(130, "", "")


def test_errors_that_came_together_are_told_one_by_one(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker has several loops: what they raise arrives as a group, and the same thing twice is told once."""
    inner = ExceptionGroup("", [SchemaOutdated("old"), StoreUnavailable("claim")])
    failing_with(ExceptionGroup("", [SchemaOutdated("old"), inner]), monkeypatch)
    assert cli("stats") == Ran(1, "", "galaxy-mail: old\ngalaxy-mail: the store failed in claim\n")


def test_a_bug_keeps_its_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not an error of ours is not explained away."""
    failing_with(ExceptionGroup("", [SchemaOutdated("old"), RuntimeError("bug")]), monkeypatch)
    with pytest.raises(ExceptionGroup):
        cli("stats")


def test_a_reader_that_has_seen_enough_is_no_traceback(environ: dict[str, str]) -> None:
    """``galaxy-mail … | head`` ends quietly, with 1."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "migrate", "--sql"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environ, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_narrow_encoding_is_no_traceback(environ: dict[str, str]) -> None:
    """A letter that the output cannot hold is shown by its code."""
    environ["PYTHONIOENCODING"] = "ascii"
    ended = subprocess.run([*COMMAND, "stats", "--help"], capture_output=True, env=environ, check=False)
    assert (ended.returncode, ended.stderr, b"postgresql://\\u2026" in ended.stdout) == (0, b"", True)


STARVED = """
import resource
from galaxy_mail.app import cli

async def work() -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
    return 0

raise SystemExit(cli._await(work()))
"""


def test_who_has_no_file_descriptor_left_ends_as_the_work_did() -> None:
    """A worker that has drained has done its part, even if its event loop cannot be closed."""
    done = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
