"""``python -m tests.fuzz``: hunt in each target for some seconds; one line of JSON for each. Exit 1 if a law is broken.

It begins with the inputs in ``corpora``, and those in the folder of ``--corpus``, where it keeps what reaches something.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import traceback
from pathlib import Path

from tests.fuzz.corpus import FOLDER, read_corpus, write_corpus
from tests.fuzz.engine import Hunt, Target, hunt
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Hunt."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; by default all"
    )
    parser.add_argument("--seconds", type=float, default=60, help="for each target (default 60)")
    parser.add_argument("--seed", type=int, default=0, help="of the dice (default 0)")
    parser.add_argument(
        "--corpus", type=Path, default=FOLDER, help="a folder to keep inputs in; else none are kept"
    )
    asked = parser.parse_args()
    failed = False
    for target in (TARGETS[name] for name in asked.targets or TARGETS):
        corpus = {*read_corpus(target.name), *read_corpus(target.name, asked.corpus)}
        told = hunt(target, asked.seed, seconds=asked.seconds, corpus=sorted(corpus))
        if asked.corpus != FOLDER:
            write_corpus(target.name, asked.corpus, told.kept)
        _say(target, told)
        failed = failed or told.error is not None
    return int(failed)


def _say(target: Target, told: Hunt) -> None:
    figures = {
        "target": target.name,
        "python": platform.python_version(),
        "runs": told.runs,
        "seconds": round(told.seconds, 1),
        "arcs": told.arcs,
        "kept": len(told.kept),
        "found": None if told.found is None else told.found.hex(),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    if told.error is not None:
        sys.stdout.write(f"{told.found!r}\n" + "".join(traceback.format_exception(told.error)))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
