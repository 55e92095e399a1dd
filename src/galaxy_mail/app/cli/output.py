"""What the commands print: for a person, or one JSON document for a script.

In JSON an instant is ISO 8601 in UTC, a duration is a number of seconds, and what is not there is null; the keys are those
of the records in ``domain.records`` and stay as they are, but for one: what a summary calls ``attempts`` is
``burned_attempts`` here, since ``attempts`` are the attempts themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TextIO
from uuid import UUID

import attrs

from galaxy_mail.app.terminal import NOTHING, coloured, instant, span, table
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.records import AttemptRecord, DeliveryRecord, DeliverySummary, RecipientRecord
from galaxy_mail.domain.verdicts import Stage


@attrs.frozen
class Output:
    """Where a command prints, and in which form."""

    stream: TextIO
    json: bool = False

    def give(self, document: Mapping[str, object], lines: Iterable[str]) -> None:
        """Print the document for a script, or else the lines for a person."""
        if self.json:
            print(json.dumps(document, default=_plain), file=self.stream)
        else:
            for line in lines:
                print(coloured(line, self.stream), file=self.stream)


# --- for scripts -----------------------------------------------------------------------------------------------------


def summary_document(summary: DeliverySummary) -> dict[str, object]:
    """One delivery of a list, as an object."""
    document = _fields(summary)
    document["burned_attempts"] = document.pop("attempts")
    return document


def delivery_document(record: DeliveryRecord) -> dict[str, object]:
    """A delivery with its recipients, attempts and resends, as one object."""
    document = _fields(record)
    del document["summary"]
    return summary_document(record.summary) | document


def _fields(record: Any) -> dict[str, object]:
    """A record's fields by name; a lane by its name too, since its number means nothing to a reader."""
    return attrs.asdict(record, value_serializer=lambda _, __, value: _named(value))


def _named(value: object) -> object:
    if isinstance(value, Lane):
        return value.name.lower()
    return value.value if isinstance(value, Enum) else value


def _plain(value: object) -> object:
    """What JSON has no form for."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    assert isinstance(value, UUID), type(value)
    return str(value)


# --- for people --------------------------------------------------------------------------------------------------------


def stats_lines(stats: Mapping[DeliveryStatus, int]) -> list[str]:
    """Each status with its number."""
    digits = max(len(f"{number:,}") for number in stats.values())
    return [f"{status:<13}  {stats[status]:>{digits},}" for status in DeliveryStatus]


def list_lines(summaries: Sequence[DeliverySummary]) -> list[str]:
    """A line for each delivery."""
    if not summaries:
        return ["nothing found"]
    heads = ("delivery", "status", "template", "lane", "attempts", "created", "then")
    rows = (
        (
            str(one.delivery_id),
            one.status,
            one.template,
            one.lane.name.lower(),
            str(one.attempts),
            instant(one.created_at),
            _then(one),
        )
        for one in summaries
    )
    return table(heads, rows)


def _then(one: DeliverySummary) -> str:
    if one.finished_at is not None:
        return f"{one.reason or 'done'} at {instant(one.finished_at)}"
    if one.leased:
        return f"held by {one.claimed_by} until {instant(one.next_attempt_at)}"
    return f"due at {instant(one.next_attempt_at)}"


def delivery_lines(record: DeliveryRecord) -> Iterator[str]:
    """All that is known of a delivery."""
    one = record.summary
    yield from table(
        ("delivery", str(one.delivery_id)),
        [
            ("message", f"<{record.message_id}>"),
            ("template", one.template),
            ("lane", one.lane.name.lower()),
            ("status", one.status),
            ("then", _then(one)),
            ("created", instant(one.created_at)),
            ("expires", instant(one.expires_at)),
            ("attempts", f"{one.attempts} (those that count)"),
            *[("on uncertain", "held for a person to decide")] * record.hold_uncertain,
        ],
    )
    yield ""
    yield from table(
        ("recipient", "", "state", "last reply"),
        [
            (one.kind, _mailbox(one), one.state or NOTHING, _said(one.code, None, one.detail))
            for one in record.recipients
        ],
    )
    yield from _attempts(record.attempts)
    for resend in record.resends:
        yield ""
        yield f"resent at {instant(resend.at)} by {resend.by}, after attempt {resend.after_attempt}"


def _attempts(attempts: Sequence[AttemptRecord]) -> Iterator[str]:
    if not attempts:
        return
    yield ""
    heads = ("attempt", "began", "took", "outcome", "stage", "blame", "counts", "said", "worker")
    yield from table(
        heads,
        [
            (
                str(one.number),
                instant(one.started_at),
                span(one.duration),
                one.outcome + (", ambiguous" if one.ambiguous else ""),
                one.stage,
                one.blame,
                "yes" if one.burned else "no",
                _said(one.code or _befallen(one), one.enhanced, one.detail),
                one.worker,
            )
            for one in attempts
        ],
    )


def _befallen(one: AttemptRecord) -> str | None:
    """What happened where nobody spoke; the stage of an abandoned one says it all."""
    return None if one.stage == Stage.ABANDONED else one.fault


def _mailbox(one: RecipientRecord) -> str:
    return f"{one.name} <{one.address}>" if one.name else one.address


def _said(code: int | str | None, enhanced: str | None, detail: str) -> str:
    parts = [
        str(code) if code else "",
        enhanced if enhanced and not detail.startswith(enhanced) else "",
        detail,
    ]
    return " ".join(part for part in parts if part) or NOTHING
