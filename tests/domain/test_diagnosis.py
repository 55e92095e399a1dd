"""What the doctor makes of facts: well, doubtful or bad, and what to do wherever it is not well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.domain import diagnosis
from galaxy_mail.domain.diagnosis import Check, Finding, Level
from galaxy_mail.domain.health import OpenTransaction, RelayReport, TableHealth, Transactions, Untold
from galaxy_mail.domain.outages import RELAY, Outage
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import Blame, Fault, SmtpReply, Stage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OK, WARN, BAD = Level
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
READY = RelayReport("smtp.example.org:587", tls="TLSv1.3", certificate_ends=NOW + 60 * DAY, logged_in=True)

OUTAGE = Outage(UUID(int=1), RELAY, 3, 20 * SECOND, Blame.TRANSPORT)


def open_for(age: timedelta, pid: int | None = 7) -> Transactions:
    """One transaction of a psql."""
    return Transactions(OpenTransaction(age, "psql", pid))


def relay(**changes: Any) -> Finding:
    """What is made of a relay that is ready but for the changes."""
    return diagnosis.judge_relay(attrs.evolve(READY, **changes), NOW)


JUDGED: list[tuple[Finding, Level, str]] = [
    (diagnosis.judge_schema(None), OK, "what this release needs"),
    (diagnosis.judge_schema("step 1 is not applied: run galaxy-mail migrate"), BAD, "step 1"),
    (diagnosis.judge_clock(timedelta(0)), OK, "agree"),
    (diagnosis.judge_clock(5 * SECOND), OK, "agree"),
    (diagnosis.judge_clock(6 * SECOND), WARN, "6 s ahead of"),
    (diagnosis.judge_clock(-HOUR), WARN, "1 h behind"),
    (diagnosis.judge_clock(-3650 * DAY), BAD, "3650 d behind"),
    (diagnosis.judge_waking(True, SECOND), OK, "wakes"),
    (diagnosis.judge_waking(False, SECOND), WARN, "every 1 s"),
    (diagnosis.judge_outages([]), OK, "none is open"),
    (diagnosis.judge_outages([OUTAGE]), BAD, "relay is left alone: transport is to blame, 2 probes failed, the next one is due in 20 s"),
    (diagnosis.judge_outages([OUTAGE, attrs.evolve(OUTAGE, scope="a@example.org", probe_in=-DAY)]), BAD, "a@example.org is left alone: transport is to blame, 2 probes failed, the next one is due now"),
    (diagnosis.judge_outages([attrs.evolve(OUTAGE, trips=1)]), BAD, "no probes failed, the next one is due in 20 s"),
    (diagnosis.judge_outages([attrs.evolve(OUTAGE, trips=2)]), BAD, "1 probe failed,"),
    (diagnosis.judge_due(None), OK, "nothing is due"),
    (diagnosis.judge_due(30 * SECOND), OK, "30 s"),
    (diagnosis.judge_due(31 * SECOND), WARN, "31 s"),
    (diagnosis.judge_due(5 * MINUTE + SECOND), BAD, "5 min"),
    (diagnosis.judge_notices(Untold()), OK, "told"),
    (diagnosis.judge_notices(Untold(3, MINUTE)), OK, "3 ends"),
    (diagnosis.judge_notices(Untold(3, 11 * MINUTE)), WARN, "11 min"),
    (diagnosis.judge_notices(Untold(10_000, 2 * DAY)), BAD, "10,000 ends are untold, the first for 2 d"),
    (diagnosis.judge_tables([]), OK, "keeps up"),
    (diagnosis.judge_tables([TableHealth("t", 0, 49_999)]), OK, "keeps up"),
    (diagnosis.judge_tables([TableHealth("t", 1_000_000, 60_000)]), OK, "60,000"),
    (diagnosis.judge_tables([TableHealth("a", 10**6, 60_000), TableHealth("b", 100_000, 60_000)]), WARN, "b has 60,000"),
    (diagnosis.judge_tables([TableHealth("t", 0, 60_000)]), BAD, "60,000 dead rows to 0"),
    (diagnosis.judge_transactions(Transactions(None)), OK, "none is older than a second"),
    (diagnosis.judge_transactions(open_for(SECOND / 2)), OK, "none is older than a second"),
    (diagnosis.judge_transactions(Transactions(None, hidden=2)), OK, "2 sessions may not be looked into"),
    (diagnosis.judge_transactions(open_for(10 * MINUTE)), OK, "psql, pid 7"),
    (diagnosis.judge_transactions(open_for(11 * MINUTE)), WARN, "11 min"),
    (diagnosis.judge_transactions(open_for(DAY, None)), BAD, "1 d (psql)"),
    (relay(), OK, "smtp.example.org:587 is ready for mail, TLSv1.3, logged in, certificate good for 60 d"),
    (relay(certificate_ends=NOW + 14 * DAY), OK, "14 d"),
    (relay(certificate_ends=NOW + 13 * DAY), WARN, "13 d"),
    (relay(certificate_ends=NOW + 2 * DAY), BAD, "2 d"),
    (relay(certificate_ends=NOW - DAY), BAD, "0 ms"),
    (relay(tls=None, certificate_ends=None), WARN, "in clear"),
    (relay(tls=None, certificate_ends=None, local=True, logged_in=False), OK, "in clear"),
    (relay(trouble=classify(Stage.CONNECT, Fault.UNREACHABLE)), BAD, "takes no mail: unreachable at connect"),
    (relay(trouble=classify(Stage.TLS, Fault.TLS_FAILED)), BAD, "tls_failed at tls"),
    (relay(trouble=classify(Stage.TLS, Fault.TLS_FAILED), why="certificate has expired"), BAD, "tls_failed (certificate has expired) at tls"),
    (relay(trouble=classify(Stage.AUTH, SmtpReply(535, "5.7.8 no"))), BAD, "535 5.7.8 no at auth"),
    (diagnosis.failed(Check.DUE, "the store failed"), BAD, "could not be looked at: the store failed"),
]  # fmt: skip


@pytest.mark.parametrize("finding, level, words", JUDGED)
def test_a_fact_has_its_level_and_its_words(finding: Finding, level: Level, words: str) -> None:
    """On both sides of each threshold; what is not well says what to do, and nothing else does."""
    assert (finding.level, words in finding.seen) == (level, True), finding
    assert bool(finding.remedy) is (level is not OK)


def test_every_check_is_judged_well_and_otherwise() -> None:
    """The table above leaves none out."""
    assert {(finding.check, finding.level is OK) for finding, _, _ in JUDGED} >= {
        (check, well) for check in Check for well in (True, False)
    }


def test_the_remedy_fits_the_stage() -> None:
    """Certificates where TLS failed, the password where the login did, the network before and whatever else after."""
    said = {stage: relay(trouble=classify(stage, Fault.CLOSED)).remedy for stage in Stage}
    assert "certificate" in said[Stage.TLS]
    assert "password" in said[Stage.AUTH]
    assert {said[stage] for stage in Stage if stage not in (Stage.TLS, Stage.AUTH)} == {said[Stage.CONNECT]}


def test_a_transaction_can_be_ended_as_told() -> None:
    """By its process, or, where it has none, by its name."""
    assert "pg_terminate_backend(7)" in diagnosis.judge_transactions(open_for(DAY)).remedy
    assert "rollback prepared" in diagnosis.judge_transactions(open_for(DAY, None)).remedy


@given(st.timedeltas(min_value=timedelta(0)))
def test_a_span_is_told_in_its_largest_unit(duration: timedelta) -> None:
    """Rounded down, and by less than one of that unit."""
    number, unit = diagnosis.about(duration).split()
    size = {"d": DAY, "h": HOUR, "min": MINUTE, "s": SECOND, "ms": timedelta(milliseconds=1)}[unit]
    assert int(number) * size <= duration < (int(number) + 1) * size
    assert int(number) > 0 or unit == "ms"
