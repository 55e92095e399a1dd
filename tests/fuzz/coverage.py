"""Which arcs of our code a call goes through: by ``sys.monitoring`` where there is one (Python 3.12), else by ``sys.settrace``.

An arc is a step from one line (or branch) to another. How often it was gone counts in a few sizes, so that a second reply
or a third recipient is something new.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

OURS = str(Path(__file__).parents[2] / "src" / "galaxy_mail")
NAME = "galaxy_mail fuzz"

Arc = tuple[CodeType, int, int]
Arcs = Counter[Arc]


def sizes(arcs: Arcs) -> frozenset[tuple[Arc, int]]:
    """The arcs, with how often each was gone in four sizes: once, twice or thrice, up to 15 times, more."""
    return frozenset((arc, 0 if n == 1 else 1 if n < 4 else 2 if n < 16 else 3) for arc, n in arcs.items())


@contextmanager
def watching(arcs: Arcs, code: str = OURS) -> Iterator[Callable[[], None]]:
    """Count into ``arcs`` while entered, in this thread, what is in files below ``code``. The function given forgets it."""
    recorder = _monitoring if sys.version_info >= (3, 12) else _tracing
    with recorder(arcs, code):
        yield arcs.clear


@contextmanager
def _tracing(arcs: Arcs, below: str) -> Iterator[None]:
    def enter(frame: FrameType, event: str, _: object) -> Callable[[FrameType, str, object], Any] | None:
        code = frame.f_code
        if not code.co_filename.startswith(below):
            return None
        last = -1

        def step(frame: FrameType, event: str, _: object) -> Callable[[FrameType, str, object], Any]:
            nonlocal last
            if event == "line":
                arcs[code, last, frame.f_lineno] += 1
                last = frame.f_lineno
            return step

        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def _monitoring(arcs: Arcs, below: str) -> Iterator[None]:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    events = monitoring.events

    def enter(code: CodeType, _: int) -> object:
        if not code.co_filename.startswith(below):
            return monitoring.DISABLE
        arcs[code, -1, -1] += 1
        return None

    def branch(code: CodeType, source: int, target: int) -> object:
        if not code.co_filename.startswith(below):
            return monitoring.DISABLE
        arcs[code, source, target] += 1
        return None

    tool = next(number for number in range(6) if monitoring.get_tool(number) is None)
    monitoring.use_tool_id(tool, NAME)
    monitoring.register_callback(tool, events.PY_START, enter)
    monitoring.register_callback(tool, events.BRANCH, branch)
    monitoring.set_events(tool, events.PY_START | events.BRANCH)
    try:
        yield
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
        monitoring.restart_events()  # what was disabled for us may be watched below another folder next time
