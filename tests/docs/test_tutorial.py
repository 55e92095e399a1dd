"""docs/tutorial/first-mail.md does what it says: each step is done as its reader would, and what comes out is compared."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from tests.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs/tutorial/first-mail.md"
PORT = "2525"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
BY_HAND = ("python3 -m venv", ". .venv", "pip install")  # what a test has done already

# What differs from one run to the next, and the width of columns.
_VARIES = [
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000|\d{4}-\d\d-\d\d [\d:]{8}Z"), "<when>"),
    (re.compile(r"\b[\d.]+ ?m?s\b"), "<how long>"),
    (re.compile(r"[\w.-]+:\d+$", re.MULTILINE), "<who>"),
    (re.compile(r"[ \t]+"), " "),
]


def normalized(text: str) -> list[str]:
    """The lines of an output without what differs."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.strip().splitlines()]


def steps(block: Block) -> Iterator[tuple[str, str]]:
    """The commands of a console, each with the output that is shown for it."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@attrs.define
class Reader:
    """Somebody in an empty folder who follows the page."""

    folder: Path
    port: int
    environment: dict[str, str]
    ids: dict[str, str] = attrs.field(factory=dict)  # of the page, and what they are here
    background: list[subprocess.Popen[str]] = attrs.field(factory=list)

    def write(self, block: Block) -> None:
        """Make a file."""
        assert block.file
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text.replace(PORT, str(self.port)))

    def type(self, command: str, shown: str) -> None:
        """Do what a line says, and compare."""
        if command.startswith(BY_HAND):
            return
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.environment[name] = value
        elif command.endswith("&"):
            self.background.append(self._start(command.removesuffix("&")))
        elif command == "kill %1":
            self.background[0].terminate()
        else:
            self._run(command, shown)

    def _run(self, command: str, shown: str) -> None:
        running = self._start(self._here(command))
        output, complaint = running.communicate()
        assert running.returncode == 0, complaint
        for on_page, here in zip(ID.findall(shown), ID.findall(output), strict=True):
            assert self.ids.setdefault(on_page, here) == here
        assert normalized(output) == normalized(self._here(shown)), complaint

    def _here(self, text: str) -> str:
        return ID.sub(lambda found: self.ids.get(found[0], found[0]), text)

    def _start(self, command: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Who has installed it, and has no settings of an own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GALAXY_MAIL_")}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    reader = Reader(tmp_path, free_port(), environment)
    yield reader
    for process in reader.background:
        process.terminate()
        process.communicate()


def test_every_step_does_what_is_shown(reader: Reader) -> None:
    """From the first file to the last command, each output is the one on the page but for ids, times and names."""
    for block in blocks(PAGE):
        if block.file:
            reader.write(block)
        elif block.language == "console":
            for command, shown in steps(block):
                reader.type(command, shown)
    assert sorted(path.name for path in reader.folder.glob("*.eml")) == ["mail-1.eml", "mail-2.eml"]
    assert not (reader.folder / "outbox").exists()


def test_what_is_installed_can_be() -> None:
    """Each extra that a page installs is one of ours."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = re.findall(r"pip install[^\n]*\[(\w+)\]", PAGE.read_text())
    assert asked
    assert set(asked) <= set(extras)


def test_a_difference_is_found_out(reader: Reader) -> None:
    """The comparison is awake: another word, id or exit code fails."""
    first = "01a20bde-140c-7029-ac2d-cbe1834b2bbe"
    reader.type(f"echo sent {first} 12ms", f"sent  {first} 3ms")
    for command, shown in [("echo sent", "retrying"), (f"echo {first[:-1]}0", first), ("false", "")]:
        with pytest.raises(AssertionError):
            reader.type(command, shown)
