"""docs/reference/cli.md and settings.md say what the parser and MailSettings say; ``tools/draw_cli.py`` draws them anew."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from galaxy_mail.app.cli.commands import COMMANDS
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.relay_url import parse_relay
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.domain.outages import BreakerPolicy
from galaxy_mail.domain.records import DeliverySummary
from tests.docs.pages import ROOT, rows

FOLDER = ROOT / "docs/reference"
PAGES = ("cli.md", "settings.md")


def check(folder: Path) -> tuple[int, str]:
    """What the script says of the pages in a folder: its exit code and its words."""
    command = [sys.executable, str(ROOT / "tools/draw_cli.py"), "--check", "--folder", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


def test_no_page_is_stale() -> None:
    """If this fails, an option or a setting has changed: run ``.venv/bin/python tools/draw_cli.py``."""
    assert check(FOLDER) == (0, "")


@pytest.mark.parametrize("page, word", [("cli.md", "--until-empty"), ("settings.md", "1 s to 1 h")])
def test_a_stale_page_is_named(page: str, word: str, tmp_path: Path) -> None:
    """The check is awake: what was changed by hand below the mark is told, and that page alone."""
    for name in PAGES:
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / page).write_text((FOLDER / page).read_text().replace(word, "something else"))
    code, said = check(tmp_path)
    assert (code, [name for name in PAGES if name in said]) == (1, [page])


def test_every_setting_is_explained() -> None:
    """Each field of MailSettings has a row, with a meaning."""
    told = {name.strip("`"): meaning for name, *_, meaning in rows(FOLDER / "settings.md", "Every setting")}
    assert list(told) == [field.name for field in attrs.fields(MailSettings)]
    assert all(told.values())


def test_every_number_of_a_worker_is_explained() -> None:
    """A field of RuntimeConfig is a setting, or it has a row of its own; the rules of retrying are settings all, and those of
    the breaker have rows.
    """
    told = {name.strip("`") for name, *_ in rows(FOLDER / "settings.md", "Numbers that are no settings")}
    settings = {field.name for field in attrs.fields(MailSettings)}
    breaker = {f"breaker.{field.name}" for field in attrs.fields(BreakerPolicy)}
    fields = {field.name for field in attrs.fields(RuntimeConfig)} - settings
    assert told == (fields - {"retry", "breaker"}) | breaker


def test_the_page_reads_relays_as_the_code_does() -> None:
    """Each URL in the table of relays goes to the port that it says, and in clear only where it says so."""
    for urls, means, port in rows(FOLDER / "settings.md", "The relay"):
        for url in re.findall(r"`(\S+)`", urls):
            relay = parse_relay(url)
            assert (str(relay.port), relay.security == "none") == (port, "in clear" in means), url


def test_the_page_says_what_each_command_prints_for_a_script() -> None:
    """A row for each command that has ``--json``."""
    told = rows(FOLDER / "cli.md", "For people and for scripts")
    assert {call.strip("`").split()[0] for call, _ in told} >= set(COMMANDS)


def test_the_page_names_the_keys_of_a_summary() -> None:
    """Every key that ``list --json`` has, and no other."""
    (sentence,) = re.findall(r"A summary has (.*?)\. ", (FOLDER / "cli.md").read_text(), re.DOTALL)
    fields = {field.name for field in attrs.fields(DeliverySummary)} - {"attempts"}
    assert set(re.findall(r"`(\w+)`", sentence)) == fields | {"burned_attempts"}
