"""docs/reference/ports.md says what domain/ports.py and its neighbours say."""

from __future__ import annotations

import subprocess
import sys

from tests.docs.pages import ROOT


def test_the_page_is_drawn_anew() -> None:
    """If this fails, a docstring has changed: run ``.venv/bin/python tools/draw_ports.py`` and read what it changed."""
    command = [sys.executable, str(ROOT / "tools/draw_ports.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
