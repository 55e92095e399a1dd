"""``python -m tests.simulation``: many worlds, or one of them told in full. Exit 1 if an invariant is broken."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time

from tests.simulation.runs import failures, run


def main() -> int:
    """Tell one seed's story; or run many, tell the story of the first that fails, and print one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many worlds (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--seed", type=int, help="one world, and its timeline")
    asked = parser.parse_args()
    if asked.seed is not None:
        told = run(asked.seed)
        _say(told)
        return 1 if told.problems else 0
    gc.set_threshold(50_000, 20, 100)  # worlds leave many circles behind, and none is large
    begun = time.monotonic()
    failing = list(failures(range(asked.first, asked.first + asked.seeds)))
    lasted = time.monotonic() - begun
    if failing:
        _say(run(failing[0]))
    summary = {
        "seeds": asked.seeds,
        "first": asked.first,
        "seconds": round(lasted, 1),
        "failing": failing[:20],
    }
    _say(json.dumps({**summary, "failed": len(failing)}))
    return 1 if failing else 0


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")


if __name__ == "__main__":
    sys.exit(main())
