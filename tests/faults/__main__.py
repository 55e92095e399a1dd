"""``python -m tests.faults --minutes M [--seed S]``: chaos on the real thing.

Producers order mails, operators resend, and faults are drawn at random from the same tables that the tests go through one by
one. Then all is healed, what is due is sent, and the invariants compare the relay's ledger with the tables. The last line
is one JSON object; the exit code is 0 if nothing is lost, every copy is explained, and no worker told a secret.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.faults.chaos import Chaos, Outcome
from tests.faults.world import Pace, open_world

PACE = Pace(workers=3, lease=1.0, wait=1.0, backoff_cap=1.0, batch_size=20, connections=3)


def main() -> int:
    """Run, print, and say whether all went well."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="for how long faults are made")
    parser.add_argument("--seed", type=int, default=None, help="of the dice; by default a new one")
    arguments = parser.parse_args()
    logging.getLogger("asyncpg").setLevel(
        logging.CRITICAL
    )  # of the producers' pool; the database's crashes are ours
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    say(f"chaos for {arguments.minutes:g} minutes, seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="galaxy-mail-chaos-"))
    outcome = asyncio.run(_run(folder, 60 * arguments.minutes, seed))
    say(f"{len(outcome.faults)} faults of {len(set(outcome.faults))} kinds")
    for problem in outcome.problems:
        say(problem)
    if outcome.problems:
        say("the faults, in their order: " + "; ".join(outcome.faults))
        say(f"what the workers said is in {folder / 'workers.log'}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(json.dumps(outcome.figures) + "\n")
    return 1 if outcome.problems else 0


def say(words: str) -> None:
    """Tell whoever watches; the standard output is for the one line at the end."""
    sys.stderr.write(words + "\n")


async def _run(folder: Path, seconds: float, seed: int) -> Outcome:
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    async with open_world(folder, PACE) as world:
        return await Chaos(world, seed).run(seconds)


if __name__ == "__main__":
    sys.exit(main())
