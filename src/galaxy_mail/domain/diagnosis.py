"""What is well, doubtful or bad around an outbox, and what to do about it: pure judgements of the facts in ``health``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

import attrs

from galaxy_mail.domain.health import RelayReport, TableHealth, Transactions, Untold
from galaxy_mail.domain.outages import Outage
from galaxy_mail.domain.verdicts import Stage

T = TypeVar("T", timedelta, float)

_SECOND, _MINUTE, _HOUR, _DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)

CLOCK_DOUBTFUL, CLOCK_BAD = 5 * _SECOND, _HOUR
DUE_DOUBTFUL, DUE_BAD = 30 * _SECOND, 5 * _MINUTE
UNTOLD_DOUBTFUL, UNTOLD_BAD = 10 * _MINUTE, _HOUR
TRANSACTION_DOUBTFUL, TRANSACTION_BAD = 10 * _MINUTE, _HOUR
CERTIFICATE_DOUBTFUL, CERTIFICATE_BAD = 14 * _DAY, 3 * _DAY
DEAD_ROWS = 50_000
"""Fewer dead rows than this slow nothing down."""
DEAD_DOUBTFUL, DEAD_BAD = 0.5, 5.0
"""Dead rows for each that lives. Autovacuum keeps it far below."""


class Check(StrEnum):
    """What is looked at."""

    SCHEMA = "schema"
    CLOCK = "clock"
    WAKING = "wake-up"
    RELAY = "relay"
    OUTAGES = "outages"
    DUE = "due mail"
    NOTICES = "notices"
    TABLES = "tables"
    TRANSACTIONS = "transactions"


class Level(StrEnum):
    """How serious it is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@attrs.frozen
class Finding:
    """What one look found: ``seen`` is safe to show, ``remedy`` says what to do, and is empty where all is well."""

    check: Check
    level: Level
    seen: str
    remedy: str = ""


def failed(check: Check, problem: str) -> Finding:
    """The look itself failed."""
    return Finding(
        check, Level.BAD, f"could not be looked at: {problem}", "mend what is named here, then ask again"
    )


def judge_schema(problem: str | None) -> Finding:
    """``problem`` is what a check of the schema said."""
    if problem is None:
        return Finding(Check.SCHEMA, Level.OK, "is what this release needs")
    return Finding(
        Check.SCHEMA, Level.BAD, problem, "migrate before the workers of a new release start; never by hand"
    )


def judge_clock(offset: timedelta) -> Finding:
    """``offset`` is by how much the database's clock is ahead of this host's."""
    seen = f"the database's clock is {about(abs(offset))} {'ahead of' if offset > timedelta(0) else 'behind'} this host's"
    level = _level(abs(offset), CLOCK_DOUBTFUL, CLOCK_BAD)
    if level is Level.OK:
        return Finding(Check.CLOCK, level, "this host and the database agree on the time")
    remedy = "set both by NTP; leases do not suffer, but send_at, certificates and logs are read by this host's clock"
    return Finding(Check.CLOCK, level, seen, remedy)


def judge_waking(rings: bool, poll: timedelta) -> Finding:
    """``rings`` is whether a commit can wake an idle worker, ``poll`` how often it looks by itself."""
    if rings:
        return Finding(Check.WAKING, Level.OK, "a commit wakes idle workers")
    return Finding(
        Check.WAKING,
        Level.WARN,
        f"nobody is woken here: idle workers find new mail by looking, every {about(poll)}",
        "through a pooler in transaction mode that is so: give workers a direct dsn, or lower poll_interval",
    )


def judge_outages(outages: Sequence[Outage]) -> Finding:
    """``outages`` are those that are open: mails wait until a probe goes through."""
    if not outages:
        return Finding(Check.OUTAGES, Level.OK, "none is open")
    seen = "; ".join(
        f"{each.scope} is left alone: {each.blame} is to blame, {_probed(each)}" for each in outages
    )
    remedy = "nothing is lost; mend what is to blame (see relay), and the next probe ends it; only a changed setting needs a restart of the workers"
    return Finding(Check.OUTAGES, Level.BAD, seen, remedy)


def _probed(outage: Outage) -> str:
    failed = outage.trips - 1
    when = f"in {about(outage.probe_in)}" if outage.probe_in > timedelta(0) else "now"
    return f"{failed or 'no'} probe{'' if failed == 1 else 's'} failed, the next one is due {when}"


def judge_due(wait: timedelta | None) -> Finding:
    """``wait`` is how long the mail that is due longest has waited; None if none is due."""
    level = _level(wait or timedelta(0), DUE_DOUBTFUL, DUE_BAD)
    seen = "nothing is due" if wait is None else f"the mail that is due longest has waited for {about(wait)}"
    remedy = (
        "unless an outage is open: see that workers run, and what they log; galaxy-mail shape says who waits"
    )
    return Finding(Check.DUE, level, seen, "" if level is Level.OK else remedy)


def judge_notices(untold: Untold) -> Finding:
    """Whether the administrators hear of what ended badly."""
    level = _level(untold.oldest or timedelta(0), UNTOLD_DOUBTFUL, UNTOLD_BAD)
    if untold.oldest is None:
        return Finding(Check.NOTICES, level, "everything that ended badly has been told")
    seen = f"{untold.number:,} ends are untold, the first for {about(untold.oldest)}"
    remedy = "see that workers run and the notifier works (admins, smtp_url); galaxy-mail list --status dead_lettered"
    return Finding(Check.NOTICES, level, seen, "" if level is Level.OK else remedy)


def judge_tables(tables: Sequence[TableHealth]) -> Finding:
    """Whether vacuum keeps up."""
    swollen = [(table, table.dead / max(table.live, 1)) for table in tables if table.dead >= DEAD_ROWS]
    if not swollen:
        return Finding(Check.TABLES, Level.OK, "vacuum keeps up")
    worst, share = max(swollen, key=lambda each: each[1])
    level = _level(share, DEAD_DOUBTFUL, DEAD_BAD)
    seen = f"{worst.table} has {worst.dead:,} dead rows to {worst.live:,} that live"
    remedy = f"end the oldest transaction if it is old, see that autovacuum is on, then: vacuum {worst.table}"
    return Finding(Check.TABLES, level, seen, "" if level is Level.OK else remedy)


def judge_transactions(transactions: Transactions) -> Finding:
    """Whether somebody holds back vacuum."""
    hidden = f"; {transactions.hidden} sessions may not be looked into" if transactions.hidden else ""
    oldest = transactions.oldest
    if oldest is None or oldest.age < _SECOND:  # the other looks are made at the same time
        return Finding(Check.TRANSACTIONS, Level.OK, f"none is older than a second{hidden}")
    who = oldest.held_by if oldest.pid is None else f"{oldest.held_by}, pid {oldest.pid}"
    level = _level(oldest.age, TRANSACTION_DOUBTFUL, TRANSACTION_BAD)
    seen = f"the oldest is open for {about(oldest.age)} ({who}){hidden}"
    end = "rollback prepared" if oldest.pid is None else f"select pg_terminate_backend({oldest.pid})"
    remedy = f"no dead row goes while it is open, and every claim gets slower: find its owner, or {end}"
    return Finding(Check.TRANSACTIONS, level, seen, "" if level is Level.OK else remedy)


# --- the relay -------------------------------------------------------------------------------------------------------

_CANNOT_REACH = "mail waits and burns nothing; see smtp_url, the relay, the name server, firewalls"
_REMEDIES: Mapping[Stage, str] = MappingProxyType(
    {
        Stage.TLS: "mail waits and never goes in clear; see the relay's certificate (name, dates, authority), smtp_ca_file, this host's clock",
        Stage.AUTH: "mail waits and burns nothing; see the user and the password in smtp_url, or the access token",
    }
)


def judge_relay(report: RelayReport, now: datetime) -> Finding:
    """Whether mail could be sent, and for how long it will be so."""
    if trouble := report.trouble:
        befell = f"{trouble.fault} ({report.why})" if report.why else trouble.fault
        said = " ".join(str(part) for part in (trouble.code, trouble.detail or befell) if part)
        seen = f"{report.relay} takes no mail: {said} at {trouble.stage}"
        return Finding(Check.RELAY, Level.BAD, seen, _REMEDIES.get(trouble.stage, _CANNOT_REACH))
    level, remedy = Level.OK, ""
    parts = [f"{report.relay} is ready for mail", report.tls or "in clear"]
    if report.logged_in:
        parts.append("logged in")
    if report.certificate_ends is not None:
        left = max(report.certificate_ends - now, timedelta(0))
        parts.append(f"certificate good for {about(left)}")
        level = _level(-left, -CERTIFICATE_DOUBTFUL, -CERTIFICATE_BAD)
        remedy = "" if level is Level.OK else "renew the relay's certificate, or mail will wait"
    if report.tls is None and not report.local:
        level, remedy = (
            Level.WARN,
            "whoever is on the way reads the mail: smtps://, or smtp:// without tls=none",
        )
    return Finding(Check.RELAY, level, ", ".join(parts), remedy)


# --- how -------------------------------------------------------------------------------------------------------------


def _level(value: T, doubtful: T, bad: T) -> Level:
    if value > bad:
        return Level.BAD
    return Level.WARN if value > doubtful else Level.OK


def about(duration: timedelta) -> str:
    """About how long, in the largest unit that it has."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (_SECOND, "s")):
        if duration >= unit:
            return f"{duration // unit} {name}"
    return f"{duration // timedelta(milliseconds=1)} ms"
