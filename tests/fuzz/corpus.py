"""Inputs that are known to reach something: a file for each target, an input a line, in hexadecimal digits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).with_name("corpora")


def read_corpus(target: str, folder: Path = FOLDER) -> list[bytes]:
    """The inputs kept for a target, if there are any."""
    path = folder / f"{target}.hex"
    return [bytes.fromhex(line) for line in path.read_text().splitlines()] if path.is_file() else []


def write_corpus(target: str, folder: Path, kept: Iterable[bytes]) -> None:
    """Keep these, the short first."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = sorted({octets.hex() for octets in kept}, key=lambda line: (len(line), line))
    (folder / f"{target}.hex").write_text("".join(f"{line}\n" for line in lines))
