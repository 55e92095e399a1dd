"""What the commands that look print: whether the books add up, what waits, and how everything around is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from galaxy_mail.app.terminal import instant, table
from galaxy_mail.domain.diagnosis import Finding, Level, about
from galaxy_mail.domain.invariants import Breach, Invariant
from galaxy_mail.domain.shape import AGES, LastWord, Shape, Waiting


def shape_document(shape: Shape) -> dict[str, object]:
    """The total and each domain; ``ages`` are where one count ends and the next begins."""
    return {
        "ages": AGES,
        "total": _waiting_document(shape.total),
        "domains": [
            {
                "domain": each.domain,
                **_waiting_document(each.waiting),
                "last": each.last and attrs.asdict(each.last),
            }
            for each in shape.domains
        ],
        "complete": shape.complete,
    }


def _waiting_document(waiting: Waiting) -> dict[str, object]:
    return {"number": waiting.number, "counts": waiting.counts, "oldest": waiting.oldest}


def shape_lines(shape: Shape) -> Iterator[str]:
    """A line for each domain, a column for each age."""
    if shape.complete and not shape.total.number:
        yield "nobody waits"
        return
    heads = ("domain", "waiting", *(f"< {about(age)}" for age in AGES), "older", "oldest", "last word")
    lines = [("all", *_cells(shape.total), "")]
    lines += [(each.domain, *_cells(each.waiting), _word(each.last)) for each in shape.domains]
    yield from table(heads, lines)
    if left := shape.total.number - sum(each.waiting.number for each in shape.domains):
        yield ""
        yield f"{left:,} wait at other domains"
    if not shape.complete:
        yield ""
        yield f"there is more: of each lane only the {shape.looked_at:,} deliveries that are due first were looked at"


def _cells(waiting: Waiting) -> tuple[str, ...]:
    counts = (waiting.number, *waiting.counts)
    return (*(f"{count:,}" if count else "." for count in counts), about(waiting.oldest))


def _word(last: LastWord | None) -> str:
    if last is None:
        return "not tried yet"
    said = " ".join(str(part) for part in (last.code, last.detail) if part)
    return f"{instant(last.at)} {said or last.fault or last.blame} at {last.stage}"


def audit_document(breaches: Sequence[Breach]) -> dict[str, object]:
    """Every invariant, what it means, and who breaks it."""
    broken = {breach.invariant: breach.delivery_ids for breach in breaches}
    return {
        "sound": not breaches,
        "invariants": [
            {
                "invariant": each.value,
                "means": each.means,
                "holds": each not in broken,
                "delivery_ids": broken.get(each, ()),
            }
            for each in Invariant
        ],
    }


def audit_lines(breaches: Sequence[Breach], limit: int) -> Iterator[str]:
    """A line for each invariant, and who breaks those that do not hold."""
    broken = {breach.invariant for breach in breaches}
    yield from table(
        ("", "invariant", "means"),
        [("BROKEN" if each in broken else "holds", each.value, each.means) for each in Invariant],
    )
    for breach in breaches:
        yield ""
        many = len(breach.delivery_ids) == limit
        yield f"{breach.invariant} is broken" + (
            f", first of all by these {limit}:" if many else ":" if breach.delivery_ids else ""
        )
        yield from (f"  {delivery_id}" for delivery_id in breach.delivery_ids)
    yield ""
    total = len(Invariant)
    yield f"{len(breaches)} of {total} invariants broken" if breaches else f"all {total} invariants hold"


def doctor_document(findings: Sequence[Finding]) -> dict[str, object]:
    """The worst level, and each finding."""
    worst = max((finding.level for finding in findings), key=list(Level).index)
    return {"worst": worst, "findings": [attrs.asdict(finding) for finding in findings]}


def doctor_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """A line for each finding, and below it what to do."""
    marks = {Level.OK: "ok", Level.WARN: "WARN", Level.BAD: "BAD"}
    lines = table(
        ("", "what", "seen"), [(marks[each.level], each.check.value, each.seen) for each in findings]
    )
    indent = " " * lines[0].index("seen")
    yield lines[0]
    for line, finding in zip(lines[1:], findings, strict=True):
        yield line
        if finding.remedy:
            yield f"{indent}→ {finding.remedy}"
