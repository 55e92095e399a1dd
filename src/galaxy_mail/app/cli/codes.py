"""With which code a command ends."""

from __future__ import annotations

DONE = 0
FAILED = 1  # or refused, or not all is well
WRONG_SETTINGS = 2
INTERRUPTED = 130
