"""A parser that keeps to itself what was typed where it did not understand it."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """A parser that repeats no value of an option it does not know: a mistyped ``--smtp-url`` has its password beside it.

    And no URL, wherever it stands: one without its ``--dsn`` before it has its password in it.
    """

    def error(self, message: str) -> NoReturn:
        """Print the usage and exit with 2."""
        before, unrecognized, words = message.partition("unrecognized arguments: ")
        told = before + unrecognized + " ".join(_without_values(words.split()))
        super().error(re.sub("://.*", "://***", told, flags=re.DOTALL))


def _without_values(words: list[str]) -> list[str]:
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    options = [word.partition("=")[0] for word in words[first:] if word.startswith("-")]
    return [*words[:first], *options]
