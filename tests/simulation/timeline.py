"""What happened, in order, for a person to read: written down as it comes, made into text only when somebody asks."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import attrs

from tests.simulation.loop import VirtualLoop

_DELIVERY = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})(?:@[a-z.]+)?")

Entry = tuple[float, str, str, tuple[object, ...]]


class Timeline:
    """Entries of time, actor and text. A delivery is called by the name that it got when it was first mentioned."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._entries: list[Entry] = []
        self._names: dict[str, str] = {}
        self._closed = False

    def close(self) -> None:
        """Write nothing any more."""
        self._closed = True

    def note(self, who: str, text: str, *about: object) -> None:
        """Write down that ``who`` did something; ``text`` has a ``{}`` for each thing that it is about."""
        if not self._closed:
            self._entries.append((self._loop.time(), who, text, about))

    def lines(self) -> Iterator[str]:
        """The entries, one a line."""
        for at, who, text, about in self._entries:
            yield f"{at:10.4f}  {who:<11} {self.named(text.format(*map(_told, about)))}"

    def named(self, text: str) -> str:
        """A text that calls each delivery by its short name."""
        return _DELIVERY.sub(self._name, text)

    def _name(self, found: re.Match[str]) -> str:
        return self._names.setdefault(found[1], f"mail-{len(self._names) + 1}")

    def logger(self, who: str) -> logging.Logger:
        """A logger whose warnings and errors are entries of ``who``."""
        return _Scribe(self, who)


class _Scribe(logging.Logger):
    """Cheap: it makes no record and looks for no caller, for a thousand worlds have a million lines."""

    def __init__(self, timeline: Timeline, who: str) -> None:
        super().__init__(f"simulation.{who}", logging.WARNING)
        self._timeline = timeline
        self._who = who

    def _log(self, level: int, msg: object, args: object, *_: object, **__: object) -> None:
        self._timeline.note(self._who, "log: {}", _Lazy(str(msg), args))


@attrs.frozen
class _Lazy:
    text: str
    args: object

    def __str__(self) -> str:
        return self.text % self.args


def _told(thing: object) -> str:
    if isinstance(thing, (tuple, list, frozenset)):
        return ", ".join(map(_told, thing)) or "none"
    return str(thing)
