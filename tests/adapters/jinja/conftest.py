"""Template folders, written down as path and source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Writes files into a new folder and returns it."""

    def write(files: Mapping[str, str]) -> Path:
        folder = tmp_path_factory.mktemp("templates")
        for name, source in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(source, encoding="utf-8", newline="")
        return folder

    return write
