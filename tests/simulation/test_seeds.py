"""Many worlds, and that each can be had again."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.runs import failures, run

ROOT = Path(__file__).parents[2]

BATCHES = 10
BATCH = (
    100  # worlds; in all they take less than half a minute of one core (``make simulate SEEDS=…`` runs more)
)


@pytest.fixture
def _seldom_collected() -> Iterator[None]:
    """Worlds leave many circles behind, and none is large."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    yield
    gc.set_threshold(*usual)


@pytest.mark.usefixtures("_seldom_collected")
@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_world_breaks_an_invariant(batch: int) -> None:
    """Whatever dies, freezes, fails or lies: nothing is lost, and every extra copy is accounted for."""
    failing = next(failures(range(batch * BATCH, (batch + 1) * BATCH)), None)
    assert failing is None, run(failing)


def test_a_seed_is_a_story() -> None:
    """The same seed is the same world to the last line, in another process and under another hash seed."""
    stories = {
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "7"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert len(stories) == 1
    assert len(stories.pop().splitlines()) > 50


def test_seeds_differ() -> None:
    """Another seed is another world."""
    assert len({run(seed).story for seed in range(20)}) == 20
