"""`python -m bench.worker uvloop|asyncio|silent …`: the command line of galaxy_mail on a chosen event loop.

``silent`` is uvloop, and a worker without a session of its own, as behind a pooler: it never arms a bell, so producers never
ring, and it polls; and it shows no sign of life.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from importlib.abc import MetaPathFinder

OF_PEERS = (
    "pydantic",
    "pydantic_settings",
)  # dependency-injector loads them where they are: 15 MB that are not ours


class Hidden(MetaPathFinder):
    """Modules that are installed, and yet nobody finds them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> None:
        """Say that there is none, or let the next finder look."""
        if name in self._names:
            raise ModuleNotFoundError(name, name=name)


def run(kind: str, arguments: list[str]) -> int:
    """Run the command on this kind of event loop and return its exit code."""
    sys.meta_path.insert(0, Hidden((*OF_PEERS, "uvloop") if kind == "asyncio" else OF_PEERS))
    if kind != "asyncio":
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # type: ignore[deprecated] # until 3.16
    from galaxy_mail.adapters.postgres.bell import PostgresBell
    from galaxy_mail.app.cli import main

    if kind == "silent":
        PostgresBell.arm = _arm_nothing  # type: ignore[assignment,method-assign]
        PostgresBell.keep_sign = _keep_nothing  # type: ignore[assignment,method-assign]
    return main(arguments)


async def _arm_nothing(_bell: object, _lasting: timedelta) -> None:
    return None


async def _keep_nothing(_bell: object) -> None:
    return None


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
