"""The demo's screen: lines that stay, and on a terminal one line at the bottom that changes."""

from __future__ import annotations

import os
from typing import TextIO

from galaxy_mail.app.terminal import coloured

CLEAR = "\r\x1b[2K"


class Screen:
    """Where the demo tells its story. In a pipe or a file there are only plain lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._status = ""

    def say(self, line: str = "", *, colour: bool = True) -> None:
        """A line that stays, above the one that changes."""
        shown = coloured(line, self._stream) if colour else line
        self._write((CLEAR if self._status and self._live else "") + shown + "\n")
        if self._live:
            self._write(coloured(self._status, self._stream))

    def show(self, status: str) -> None:
        """Change the line at the bottom; in a pipe, a change is a line."""
        if status == self._status:
            return
        self._status = status
        self._write(CLEAR + coloured(status, self._stream) if self._live else status + "\n")

    def close(self) -> None:
        """Let go of the bottom line."""
        if self._status and self._live:
            self._write(CLEAR)
        self._status = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
