"""A door behind three doors: who is not told that the first one opened finds the last one never."""

from __future__ import annotations

from tests.fuzz.engine import Target


def run(octets: bytes) -> None:
    """Raise for octets that begin with ``FUZZ``."""
    if octets[:1] == b"F":  # noqa: SIM102 - each door is an arc of its own
        if octets[1:2] == b"U":  # noqa: SIM102
            if octets[2:3] == b"Z":  # noqa: SIM102
                if octets[3:4] == b"Z":
                    raise LookupError("found")


MAZE = Target("maze", run, code=__file__)
