"""`python -m bench.worker uvloop|asyncio|silent …`: the command line of galaxy_mail on a chosen event loop.

``silent`` is uvloop, and a worker whose bell never rings: it never arms one, so producers never ring, and it polls.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from galaxy_mail.adapters.postgres.bell import PostgresBell
from galaxy_mail.app.cli import main


async def _arm_nothing(_bell: PostgresBell, _lasting: timedelta) -> None:
    return None


def run(kind: str, arguments: list[str]) -> int:
    """Run the command on this kind of event loop and return its exit code."""
    if kind == "asyncio":
        sys.modules["uvloop"] = None  # type: ignore[assignment] # whoever would use it finds none
    else:
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # type: ignore[deprecated] # until 3.16
    if kind == "silent":
        PostgresBell.arm = _arm_nothing  # type: ignore[assignment,method-assign]
    return main(arguments)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
