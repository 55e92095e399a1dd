# noqa: INP001 - a script of its own, not a package
"""Draws ``docs/reference/settings.md`` from ``MailSettings``, and ``docs/reference/cli.md`` from the command line's parser.

    .venv/bin/python tools/draw_cli.py            draw them
    .venv/bin/python tools/draw_cli.py --check    say which are stale, and exit 1 if any is

What stands above the mark of a page is written by hand and kept.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import attrs

from galaxy_mail.app import settings
from galaxy_mail.app.cli.arguments import build_parser
from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.demo.reckoning import Figures
from galaxy_mail.app.durations import format_duration
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.app.settings_sources import PREFIX
from galaxy_mail.app.settings_values import kinds
from galaxy_mail.domain.backoff import BackoffPolicy
from galaxy_mail.domain.outages import BreakerPolicy

FOLDER = Path(__file__).parents[1] / "docs/reference"
MARK = "<!-- Below: drawn by tools/draw_cli.py from the code. Change it there; a test holds it against the code. -->\n"


# --- settings ----------------------------------------------------------------------------------------------------------


def settings_page() -> str:
    """Every setting: how it is called, what it may be, what it is where nobody says, what it means; and the fixed numbers."""
    told = explained(MailSettings)
    heads = ("setting", "variable", "value", "default", "meaning")
    settings_table = table(
        heads,
        (
            (
                f"`{field.name}`",
                f"`{PREFIX}{field.name.upper()}`",
                allowed(field.name),
                default(field.default),
                told[field.name],
            )
            for field in attrs.fields(MailSettings)
        ),
    )
    return f"\n{settings_table}\n## Numbers that are no settings\n\n{FIXED}\n{fixed_table()}"


FIXED = """\
Workers and `purge` run by these too. They are fixed: nobody has needed others yet. `MailService.config`, a `RuntimeConfig`, has
them beside those that are set.
"""


def fixed_table() -> str:
    """The fields of RuntimeConfig that no setting gives."""
    given = {field.name for field in attrs.fields(MailSettings)} | {"retry", "breaker"}
    rows = (
        (f"`{prefix}{field.name}`", default(field.default), explained(kind)[field.name])
        for kind, prefix in ((RuntimeConfig, ""), (BreakerPolicy, "breaker."))
        for field in attrs.fields(kind)
        if field.name not in given
    )
    return table(("field", "value", "meaning"), rows)


def allowed(name: str) -> str:
    """What may stand there."""
    _, _, words = settings._RANGES.get(name, (None, None, None))
    kind = kinds()[name]
    return f"{kind}, {words}" if words else kind


def default(value: object) -> str:
    """A default as a person would write it."""
    if value is attrs.NOTHING:
        return "**needed**"
    if isinstance(value, BackoffPolicy):
        base, cap = format_duration(value.base), format_duration(value.cap)
        return f"{base}, times {value.factor:g} up to {cap}, ±{value.jitter:.0%}"
    if value is None or value == ():
        return "none"
    if isinstance(value, float):
        value = round(value, 3)
    shown = format_duration(value) if isinstance(value, timedelta) else str(value).lower()
    return f"`{shown}`"


def explained(owner: type) -> Mapping[str, str]:
    """The comment above each field of a class."""
    return {
        name: text
        for text, name in re.findall(r"^    # (.+)\n    (\w+): ", inspect.getsource(owner), re.MULTILINE)
    }


# --- the command line --------------------------------------------------------------------------------------------------


def cli_page() -> str:
    """Every command with its options; those for settings, which most commands share, once."""
    parser = build_parser()
    (subparsers,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    commands: Mapping[str, argparse.ArgumentParser] = subparsers.choices
    shared = next(group for group in commands["stats"]._action_groups if group.title == "settings")
    parts = [
        "## Options for settings\n\nEvery command but `demo` takes them.\n",
        option_table(shared._group_actions),
        "## Commands\n",
        *(command(name, one) for name, one in commands.items()),
        "## What the demo counts\n",
        table(("key", "meaning"), ((f"`{key}`", text) for key, text in explained(Figures).items())),
    ]
    return "\n" + "\n".join(parts)


def command(name: str, parser: argparse.ArgumentParser) -> str:
    """One command."""
    own = [
        action
        for group in parser._action_groups
        for action in group._group_actions
        if group.title != "settings" and action.dest != "help"
    ]
    return f"### {name}\n\n{parser.description}\n\n{option_table(own)}"


def option_table(actions: Iterable[argparse.Action]) -> str:
    """Options and arguments, each with what it does."""
    return table(("option", "meaning"), ((called(action), meaning(action)) for action in actions))


def called(action: argparse.Action) -> str:
    """How it is typed."""
    value = action.metavar or (f"{{{','.join(action.choices)}}}" if action.choices else "")
    return "`" + " ".join(word for word in (*action.option_strings, value) if word) + "`"


def meaning(action: argparse.Action) -> str:
    """What it does, and what holds without it."""
    usual = action.default
    if not action.option_strings or usual in (None, False, []):
        return str(action.help)
    return f"{action.help}; by default `{usual}`"


# --- pages -------------------------------------------------------------------------------------------------------------


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [tuple(heads), *map(tuple, rows)]
    lines.insert(1, ("---",) * len(lines[0]))
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


PAGES = {"settings.md": settings_page, "cli.md": cli_page}


def stale(folder: Path) -> Iterator[tuple[Path, str]]:
    """The pages that are not what they should be, and what they should be."""
    for name, draw in PAGES.items():
        page = folder / name
        now = page.read_text(encoding="utf-8")
        wanted = now.partition(MARK)[0] + MARK + draw()
        if now != wanted:
            yield page, wanted


def main() -> int:
    """Draw the pages, or say which are stale."""
    parser = argparse.ArgumentParser(description="Draw the reference pages of settings and command line.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    found = list(stale(options.folder))
    for page, wanted in found:
        if options.check:
            sys.stdout.write(f"{page.name} is stale: run .venv/bin/python tools/draw_cli.py\n")
        else:
            page.write_text(wanted, encoding="utf-8")
    return 1 if options.check and found else 0


if __name__ == "__main__":
    sys.exit(main())
