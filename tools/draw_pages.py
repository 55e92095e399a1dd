# noqa: INP001 - a script of its own, not a package
"""Draws the reference pages that the code itself can tell: ``docs/reference/states.md`` and ``verdicts.md``.

    .venv/bin/python tools/draw_pages.py            draw them
    .venv/bin/python tools/draw_pages.py --check    say which are stale, and exit 1 if any is

What a page says comes from the tables, the docstrings and the comments beside enum members. To change a page, change those.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from galaxy_mail.domain import delivery, verdict_rules
from galaxy_mail.domain.delivery import TRANSITIONS, DeadLetterReason, DeliveryEvent, DeliveryStatus
from galaxy_mail.domain.verdict_rules import Rule
from galaxy_mail.domain.verdict_table import RULES
from galaxy_mail.domain.verdicts import Blame, Breaker, Fault, Pace, Stage

FOLDER = Path(__file__).parents[1] / "docs/reference"
NOTE = "<!-- Drawn by tools/draw_pages.py from the code. Do not edit: a test holds it against the code. -->"

STATES = """# States

What moves a delivery from one status to another. All of it is one table in `domain/delivery.py`; this page is drawn from it.
A pair of status and event that is not here raises `IllegalTransition`, and nothing has moved.

```mermaid
{diagram}
```

Who works on a delivery just now is not a status: that is a [claim](../explanation/leases.md). Why it died is not one either:
that is its reason.

## Events

{events}

## Transitions

{transitions}

## Reasons of a dead letter

{reasons}
"""

VERDICTS = """# Verdicts

What each reply of a server, and each failure on the way, means for a mail. All of it is one ordered table in
`domain/verdict_table.py`, and the first row that matches decides; this page is drawn from it. A deployment may put [lines of its
own](../howto/run-workers.md#when-your-relay-means-something-else) behind the first three rows, for what its relay refuses.

Three things are kept apart: the **outcome** (what happened to this mail), the **blame** (whose doing it was), and whether it
**burns** one of the mail's attempts. A verdict is **ambiguous** where the server may have the mail although we hold no receipt.

## How to read a signal

{notation}

Where words are asked for, they are a regular expression that must be found in the reply's text, whatever the case and outside
the addresses that it echoes. An enhanced code counts only if its class digit agrees with the reply code's.

## The table

{rules}

A 2xx to `rcpt` and a 354 to `data` mean "go on". They are called a success so that every reply has a verdict; only a 2xx to the
dot is a success of the mail.

## Stages

{stages}

## Faults

What happened instead of a reply.

{faults}

## Blame

{blames}

## Breaker

What the verdict tells the circuit breaker of the transport (or, at `mail`, of the sender).

{breakers}

## Pace

How the next attempt differs from the usual backoff.

{paces}
"""


def states() -> str:
    """The page of statuses and events."""
    exits = [(status, event, to) for status, row in TRANSITIONS.items() for event, to in row.items()]
    return STATES.format(
        diagram="\n".join(diagram()),
        events=table(("event", "what happened"), described(delivery.__doc__, DeliveryEvent).items()),
        transitions=table(
            ("status", "event", "becomes"), ((f"`{a}`", f"`{b}`", f"`{c}`") for a, b, c in exits)
        ),
        reasons=commented("reason", DeadLetterReason),
    )


def diagram() -> Iterable[str]:
    """The table as a mermaid state diagram; events between the same two statuses share an arrow."""
    yield "stateDiagram-v2"
    yield f"    [*] --> {DeliveryStatus.PENDING} : enqueued"
    for status, row in TRANSITIONS.items():
        for to in dict.fromkeys(row.values()):
            yield f"    {status} --> {to} : {', '.join(event for event in row if row[event] is to)}"
        if status.terminal:
            yield f"    {status} --> [*]"


def verdicts() -> str:
    """The page of rules and their vocabulary."""
    heads = ("", "stage", "signal", "outcome", "blame", "burns", "breaker", "why")
    return VERDICTS.format(
        notation=table(("signal", "what it matches"), entries(verdict_rules.__doc__)),
        rules=table(heads, ((str(number), *cells(rule)) for number, rule in enumerate(RULES, 1))),
        stages=commented("stage", Stage),
        faults=commented("fault", Fault),
        blames=commented("blame", Blame),
        breakers=commented("breaker", Breaker),
        paces=commented("pace", Pace),
    )


def cells(rule: Rule) -> Iterable[str]:
    """One rule as a row."""
    yield stages_of(rule)
    yield ", ".join(f"`{signal}`" for signal in rule.signals.split()) + (
        f" and words `{rule.words}`" if rule.words else ""
    )
    yield str(rule.outcome) + (", **ambiguous**" if rule.ambiguous else "")
    yield str(rule.blame)
    yield "yes" if rule.burns else "no"
    yield "" if rule.breaker is Breaker.NONE else str(rule.breaker)
    yield rule.why + (f"; pace `{rule.pace}`" if rule.pace is not Pace.USUAL else "")


def stages_of(rule: Rule) -> str:
    """The stages of a rule, in few words."""
    missing = set(Stage) - rule.stages
    if not missing:
        return "any"
    if len(missing) == 1:
        return f"any but {missing.pop()}"
    return ", ".join(stage for stage in Stage if stage in rule.stages)


# --- from docstrings and comments to tables --------------------------------------------------------------------------


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [tuple(heads), *map(tuple, rows)]
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def entries(text: str | None) -> list[tuple[str, str]]:
    """The lines of a docstring that explain what stands in double backticks at their beginning."""
    return [
        (code(term), code(meaning))
        for term, meaning in re.findall(r"^(``.+?``)  +(\S.*)$", text or "", re.MULTILINE)
    ]


def code(text: str) -> str:
    """Markdown's backticks for those of a docstring."""
    return text.replace("``", "`")


def described(text: str | None, members: type[StrEnum]) -> Mapping[str, str]:
    """What a docstring says of each member of an enum, by the value that is stored."""
    told = dict(entries(text))
    return {f"`{member}`": told[f"`{member.name}`"] for member in members}


def commented(head: str, members: type[StrEnum]) -> str:
    """The members of an enum and the comments beside them."""
    told = dict(re.findall(r'^ *(\w+) = ".*?"  # (.*)$', inspect.getsource(members), re.MULTILINE))
    return table((head, "meaning"), ((f"`{member}`", told[member.name]) for member in members))


PAGES = {"states.md": states, "verdicts.md": verdicts}


def main() -> int:
    """Draw the pages, or say which are stale."""
    parser = argparse.ArgumentParser(description="Draw the reference pages that the code can tell.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    stale = 0
    for name, draw in PAGES.items():
        title, _, rest = draw().partition("\n")
        page, text = options.folder / name, f"{title}\n\n{NOTE}\n{rest}"
        if options.check and (not page.exists() or page.read_text(encoding="utf-8") != text):
            sys.stdout.write(f"{name} is stale: run .venv/bin/python tools/draw_pages.py\n")
            stale = 1
        elif not options.check:
            page.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
