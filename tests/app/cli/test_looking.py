"""The commands that look say what they find, in words, in JSON and by their code, and change nothing."""

from __future__ import annotations

import pytest

from galaxy_mail.app import MailSettings, RuntimeConfig
from galaxy_mail.domain.diagnosis import Check
from galaxy_mail.domain.invariants import Invariant
from tests.app.cli.conftest import Cli, query

CODE = ("send", "login_code", "--to", "ada@example.org", "--secret", "code=493817", "--var", "minutes=5", "--var", "expires_in=5 minutes")  # fmt: skip
ATTEMPT = """
insert into {schema}.mail_attempts
    (delivery_id, attempt_no, started_at, finished_at, outcome, stage, blame, burned, ambiguous, fault, detail, worker, template_version)
select delivery_id, 1, now(), now(), 'transient_error', 'connect', 'transport', false, false, 'timeout', '', 'w', '' from {schema}.mail_deliveries
"""
MISCOUNT = "update {schema}.mail_deliveries set attempts = 3"

# --- audit -------------------------------------------------------------------------------------------------------------


def test_books_that_add_up_are_told_with_what_was_asked(ready: Cli) -> None:
    """Each invariant with its meaning, and 0."""
    ready(*CODE)
    sound = ready("audit")
    assert (sound.code, sound.err) == (0, "")
    for each in Invariant:
        assert f"{each}  " in sound.out
        assert each.means in sound.out
    assert sound.out.endswith(f"all {len(Invariant)} invariants hold\n")
    document = ready("audit", "--json").document
    assert document["sound"] is True
    assert [one["invariant"] for one in document["invariants"]] == list(Invariant)
    assert all(one["holds"] and one["delivery_ids"] == [] for one in document["invariants"])


def test_a_broken_invariant_is_named_with_who_breaks_it(outbox: dict[str, str], ready: Cli) -> None:
    """Its first deliveries, as many as asked for, and 1."""
    first, second = (ready(*CODE).out.strip() for _ in range(2))
    query(outbox, MISCOUNT)
    broken = ready("audit")
    assert broken.code == 1
    assert [line.split()[1] for line in broken.out.splitlines() if line.startswith("BROKEN")] == [
        "attempts_are_counted"
    ]
    assert broken.out.count(first) == broken.out.count(second) == 1
    assert broken.out.endswith(f"1 of {len(Invariant)} invariants broken\n")
    one = ready("audit", "--limit", "1", "--json")
    (found,) = [each for each in one.document["invariants"] if not each["holds"]]
    assert (one.code, one.document["sound"]) == (1, False)
    assert (found["invariant"], found["delivery_ids"]) == ("attempts_are_counted", [first])
    assert "first of all by these 1:" in ready("audit", "--limit", "1").out


def test_a_breach_of_the_whole_names_nobody(outbox: dict[str, str], ready: Cli) -> None:
    """A tally that is wrong is no single delivery's."""
    query(outbox, "insert into {schema}.mail_tally values ('', 'sent', 7)")
    broken = ready("audit")
    assert (broken.code, "tally_agrees is broken\n\n" in broken.out) == (1, True)


def test_an_audit_names_a_number_that_makes_sense(ready: Cli) -> None:
    """1 to 1,000."""
    refused = ready("audit", "--limit", "0")
    assert (refused.code, refused.err) == (1, "galaxy-mail: limit: must be a number from 1 to 1000\n")


# --- doctor ------------------------------------------------------------------------------------------------------------


def test_the_doctor_says_what_is_bad_and_what_to_do(ready: Cli) -> None:
    """A relay that nobody listens at: 1, and all else is well."""
    seen = ready("doctor")
    assert (seen.code, seen.err) == (1, "")
    head, *lines = seen.out.splitlines()
    what = slice(head.index("what"), head.index("seen"))
    marks = {line[what].strip(): line.split()[0] for line in lines if not line.startswith(" ")}
    assert marks == dict.fromkeys(Check, "ok") | {"relay": "BAD"}
    assert "127.0.0.1:1 takes no mail: unreachable (Connection refused) at connect" in seen.out
    assert "→ mail waits" in seen.out
    document = ready("doctor", "--json").document
    assert document["worst"] == "bad"
    assert [one["check"] for one in document["findings"]] == list(Check)
    assert set(document["findings"][0]) == {"check", "level", "seen", "remedy"}


def test_the_doctor_sends_no_mail_and_changes_nothing(outbox: dict[str, str], ready: Cli) -> None:
    """What is due stays due."""
    ready(*CODE)
    before = query(outbox, "select * from {schema}.mail_deliveries")
    ready("doctor")
    assert query(outbox, "select * from {schema}.mail_deliveries") == before


def test_a_schema_that_is_missing_is_a_finding(outbox: dict[str, str], cli: Cli) -> None:
    """The doctor needs nothing in order to be asked."""
    seen = cli("doctor", "--json")
    assert seen.code == 1
    schema = seen.document["findings"][0]
    assert (schema["check"], schema["level"]) == ("schema", "bad")
    assert "galaxy-mail migrate" in schema["seen"]


def test_a_database_that_is_away_is_a_finding(outbox: dict[str, str], cli: Cli) -> None:
    """The relay is looked at all the same, and no password is shown."""
    seen = cli("doctor", "--json", "--dsn", "postgresql://app:hunter2@127.0.0.1:1/app")
    levels = {one["check"]: one for one in seen.document["findings"]}
    assert seen.code == 1
    assert "ConnectionRefusedError" in levels["clock"]["seen"]
    assert "ConnectionRefusedError" in levels["wake-up"]["seen"]
    assert "takes no mail" in levels["relay"]["seen"]
    assert "hunter2" not in seen.out + seen.err


def test_the_doctor_asks_for_a_relay(outbox: dict[str, str], cli: Cli) -> None:
    """2, since there is nothing to look at."""
    del outbox["GALAXY_MAIL_SMTP_URL"]
    refused = cli("doctor")
    assert (refused.code, "smtp_url" in refused.err) == (2, True)


# --- shape -------------------------------------------------------------------------------------------------------------


def test_the_shape_shows_who_waits_and_where(outbox: dict[str, str], ready: Cli) -> None:
    """A line for all, and one for each domain, with a column for each age and the last word."""
    assert ready("shape").out == "nobody waits\n"
    for _ in range(2):
        ready(*CODE)
    query(
        outbox,
        "update {schema}.mail_deliveries"
        " set status = 'retrying', queued_at = now() - interval '2 hours', claims = 1, claimed_at = now()",
    )
    query(outbox, ATTEMPT)
    ready(*CODE, "--cc", "grace@example.net")
    head, everyone, first, second = ready("shape").out.splitlines()
    assert head.split()[:3] == ["domain", "waiting", "<"]
    assert everyone.split() == ["all", "4", "2", ".", ".", ".", "2", ".", ".", "2", "h"]
    assert first.split()[:10] == ["example.org", "3", "1", ".", ".", ".", "2", ".", ".", "2"]
    assert "timeout at connect" in first
    assert second.split()[:3] == ["example.net", "1", "1"]
    assert second.endswith("not tried yet")
    assert "1 wait at other domains" in ready("shape", "--domains", "1").out


def test_the_shape_is_one_document_for_a_script(ready: Cli) -> None:
    """Where counts end, the total, and the domains."""
    ready(*CODE)
    document = ready("shape", "--json").document
    assert document.keys() == {"ages", "total", "domains", "complete"}
    assert (document["ages"][0], document["complete"]) == (60.0, True)
    assert len(document["total"]["counts"]) == len(document["ages"]) + 1
    (line,) = document["domains"]
    assert line.keys() == {"domain", "number", "counts", "oldest", "last"}
    assert (line["domain"], line["number"], line["last"]) == ("example.org", 1, None)


def test_a_shape_of_a_part_says_so(ready: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes the first few for all."""
    monkeypatch.setattr(MailSettings, "runtime", RuntimeConfig(shape_most=1))
    ready(*CODE)
    assert "of each lane only the 1 deliveries that are due first were looked at" in ready("shape").out
    assert ready("shape", "--json").document["complete"] is False
