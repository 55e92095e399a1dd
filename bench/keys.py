"""Every key of the result: its unit, what it means, what was aimed at, and what QUICK does to it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class Key:
    """One figure. ``scaled`` says what is smaller in a QUICK run; without it only the repetitions are shorter."""

    name: str
    unit: str
    meaning: str
    scaled: str = ""
    in_json: bool = True


KEYS = (
    Key("drain_1", "mails/s", "one worker process, uvloop; every attempt recorded"),
    Key("drain_1_asyncio", "mails/s", "the same on asyncio's own event loop", in_json=False),
    Key("drain_2", "mails/s", "two worker processes on one table"),
    Key(
        "cpu_us_per_mail",
        "µs",
        "CPU of that one process: claim, render, compose, send, settle; start not counted",
    ),
    Key(
        "latency_ms.p50",
        "ms",
        "idle worker: from the commit's return to the final dot read at the sink, median",
    ),
    Key("latency_ms.p99", "ms", "the same, 99 of 100"),
    Key("enqueue_single", "mails/s", "own commits, one after another; rendering not counted"),
    Key("insert_single", "rows/s", "beside it: a bare insert into one table, own commits"),
    Key("enqueue_single_16", "mails/s", "16 producers, own commits, a listening worker sends meanwhile"),
    Key("enqueue_single_16_no_wakeup", "mails/s", "the same, with a worker that has no bell and polls"),
    Key("enqueue_bulk", "mails/s", "many mails in few transactions"),
    Key("wire_limit", "mails/s", "sink and client alone, 10 sessions: no database, no rendering"),
    Key("peers", "mails/s", "drained by each peer"),
    Key("growth.empty", "mails/s", "drained by one worker from a table without history", "fewer due rows"),
    Key("growth.history_2m", "mails/s", "the same beside 2 M terminal rows", "50 k terminal rows"),
    Key(
        "growth.xmin_held",
        "mails/s",
        "the same while another transaction is held open",
        "3 k drained, not 100 k",
    ),
    Key("stats_ms_10m", "ms", "stats() beside 10 M terminal and 10 k live rows", "250 k and 2 k rows"),
    Key(
        "code_behind_bulk_p99_ms",
        "ms",
        "login code, enqueue to sink, behind 100 k due bulk mails",
        "10 k bulk mails",
    ),
    Key("remote_20ms.ours", "mails/s", "one connection to a relay that takes 20 ms a turn"),
    Key("remote_20ms.aiosmtplib", "mails/s", "the same by aiosmtplib with a kept connection"),
    Key("rss_mb", "MB", "most memory of the worker that drained, 20 connections", "fewer mails"),
    Key(
        "recovery_s.moved",
        "s",
        "one of three workers is killed: until another has claimed the first of its mails",
    ),
    Key("recovery_s.session_seen_gone", "s", "the same, until the last of them has been sent"),
    Key(
        "recovery_s.by_lease",
        "s",
        "the same where no session shows that it is gone, and a lease of 10 s has to run out",
    ),
)


def nested(values: Mapping[str, float | None], names: Mapping[str, float | None]) -> dict[str, object]:
    """The JSON object: ``a.b`` becomes ``{"a": {"b": …}}``, and ``names`` are the peers."""
    tree: dict[str, object] = {}
    for key in KEYS:
        head, dot, tail = key.name.partition(".")
        if not key.in_json:
            continue
        if key.name == "peers":
            tree["peers"] = dict(names)
        elif dot:
            branch = tree.setdefault(head, {})
            assert isinstance(branch, dict)
            branch[tail] = values.get(key.name)
        else:
            tree[head] = values.get(key.name)
    return tree
