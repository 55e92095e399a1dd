"""The pages that are drawn from the code say what the code says; ``tools/draw_pages.py`` draws them anew."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from galaxy_mail.domain.delivery import TRANSITIONS
from galaxy_mail.domain.verdict_table import RULES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/reference"
PAGES = ["states.md", "verdicts.md"]


def check(folder: Path) -> tuple[int, str]:
    """What the script says of the pages in a folder: its exit code and its words."""
    run = subprocess.run(
        [sys.executable, ROOT / "tools/draw_pages.py", "--check", "--folder", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def test_no_drawn_page_is_stale() -> None:
    """If this fails, a table has changed: run ``.venv/bin/python tools/draw_pages.py`` and read what it changed."""
    assert check(FOLDER) == (0, "")


@pytest.mark.parametrize("page", PAGES)
def test_a_stale_page_is_named(page: str, tmp_path: Path) -> None:
    """The check is awake: one word changed by hand, or a page that is missing, is told and fails."""
    for name in PAGES:
        shutil.copy(FOLDER / name, tmp_path)
    spoilt = (
        (FOLDER / page).read_text(encoding="utf-8").replace("released", "freed").replace("burns", "costs")
    )
    (tmp_path / page).write_text(spoilt, encoding="utf-8")
    code, said = check(tmp_path)
    assert code == 1
    assert [name for name in PAGES if name in said] == [page]
    (tmp_path / page).unlink()
    assert check(tmp_path) == (code, said)


def test_the_diagram_has_every_transition_and_no_other() -> None:
    """Read back from its arrows, the diagram is the table."""
    text = (FOLDER / "states.md").read_text(encoding="utf-8")
    arrows = re.findall(r"^ +(\w+) --> (\w+) : (.+)$", text, re.MULTILINE)
    drawn = {(status, event, to) for status, to, events in arrows for event in events.split(", ")}
    assert drawn == {(status, event, to) for status, row in TRANSITIONS.items() for event, to in row.items()}


def test_every_rule_has_its_row() -> None:
    """As many rows as rules, in their order."""
    text = (FOLDER / "verdicts.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    assert numbers == list(range(1, len(RULES) + 1))
