"""Each command does what it says and prints what a person, or with --json a script, can read."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests.app.cli.conftest import Cli, query

CODE = ("send", "login_code", "--to", "ada@example.org", "--secret", "code=493817", "--var", "minutes=5", "--var", "expires_in=5 minutes")  # fmt: skip
SUMMARY_KEYS = {
    "delivery_id", "status", "template", "lane", "burned_attempts", "created_at", "next_attempt_at", "expires_at",
    "finished_at", "reason", "leased", "claimed_by",
}  # fmt: skip
BURY = "update {schema}.mail_deliveries set status = 'dead_lettered', dead_letter_reason = 'refused', finished_at = now()"
NOTE = {"subject.txt": "A note for {{ name }}", "body.txt": "{{ text }}\n"}

ATTEMPTS = """
insert into {schema}.mail_attempts
    (delivery_id, attempt_no, started_at, finished_at, outcome, stage, blame, burned, ambiguous, fault, detail, worker, template_version)
select delivery_id, no, now(), now(), 'transient_error', stage, 'nobody', false, true, fault, '', 'w', ''
  from {schema}.mail_deliveries, (values (1, 'dot', 'timeout'), (2, 'abandoned', 'closed')) as tried (no, stage, fault)
"""


@pytest.fixture
def templates(tmp_path: Path) -> str:
    """A folder with a template ``note``."""
    folder = tmp_path / "templates" / "note"
    folder.mkdir(parents=True)
    for name, text in NOTE.items():
        (folder / name).write_text(text)
    return str(folder.parent)


# --- migrate -----------------------------------------------------------------------------------------------------------


def test_migrate_applies_what_is_missing_and_then_nothing(outbox: dict[str, str], cli: Cli) -> None:
    """Every step once; the second time there is nothing to do."""
    applied = cli("migrate", "--json").document["applied"]
    assert applied[0] == "outbox"
    assert cli("migrate", "--json").document == {"applied": []}
    assert cli("migrate").out == "nothing to do: the schema is up to date\n"


def test_check_changes_nothing_and_tells_by_its_code(outbox: dict[str, str], cli: Cli) -> None:
    """1 and the reason while the schema is missing, 0 once it is there."""
    missing = cli("migrate", "--check", "--json")
    assert (missing.code, missing.document["up_to_date"]) == (1, False)
    assert "galaxy-mail migrate" in missing.document["problem"]
    assert cli("migrate", "--check").code == 1
    cli("migrate")
    assert (cli("migrate", "--check").code, cli("migrate", "--check", "--json").document) == (
        0,
        {"up_to_date": True, "problem": None},
    )


def test_the_script_needs_no_database_and_makes_the_schema(outbox: dict[str, str], cli: Cli) -> None:
    """What ``--sql`` prints, applied by hand, is what ``--check`` wants."""
    script = cli("migrate", "--sql", "--dsn", "postgresql://nobody@127.0.0.1:1/nowhere")
    assert (script.code, script.err) == (0, "")
    for statement in script.out.split("commit;"):
        query(outbox, "do $script$ begin " + statement.replace("begin;", "").replace("select pg_", "perform pg_") + " end $script$")  # fmt: skip
    assert cli("migrate", "--check").code == 0


def test_a_database_of_yours_is_never_migrated_by_the_way(outbox: dict[str, str], cli: Cli) -> None:
    """Every other command refuses a schema that is not there, says what to do, and makes nothing."""
    for command in (("stats",), ("list",), CODE, ("worker", "--until-empty"), ("show", str(UUID(int=0)))):
        refused = cli(*command)
        assert (refused.code, refused.out) == (1, ""), command
        assert "run galaxy-mail migrate" in refused.err
        assert len(refused.err.splitlines()) == 1
    assert not query(outbox, "select from pg_namespace where nspname = '{schema}'")


# --- send --------------------------------------------------------------------------------------------------------------


def test_send_enqueues_and_prints_the_id_alone(ready: Cli) -> None:
    """So that a shell can keep it."""
    sent = ready(*CODE)
    assert UUID(sent.out.strip()).version == 7
    assert ready(*CODE, "--json").document.keys() == {"delivery_id"}
    assert ready("stats", "--json").document["pending"] == 2


def test_every_option_of_send_reaches_the_delivery(ready: Cli, templates: str) -> None:
    """People in their roles, variables, lane, validity and earliest time are on record as they were given."""
    sent = ready(
        "send", "note", "--template-dir", templates, "--to", "Ada <ada@example.org>", "--cc", "grace@example.org",
        "--cc", "joan@example.org", "--bcc", "archive@example.org", "--reply-to", "help@example.org", "--var", "name=Ada",
        "--var", "text=a=b", "--ttl", "2h", "--send-at", "2000-01-01T00:00:00Z", "--lane", "bulk", "--key", "note/1",
        "--on-uncertain", "hold", "--json",
    )  # fmt: skip
    shown = ready("show", sent.document["delivery_id"], "--json").document
    assert [(one["kind"], one["name"], one["address"]) for one in shown["recipients"]] == [
        ("to", "Ada", "ada@example.org"),
        ("cc", "", "grace@example.org"),
        ("cc", "", "joan@example.org"),
        ("bcc", "", "archive@example.org"),
        ("reply_to", "", "help@example.org"),
    ]
    assert (shown["lane"], shown["hold_uncertain"]) == ("bulk", True)
    assert "held for a person" in ready("show", sent.document["delivery_id"]).out
    created, expires = (datetime.fromisoformat(shown[key]) for key in ("created_at", "expires_at"))
    assert expires - created == timedelta(hours=2)


def test_the_same_key_is_one_mail(ready: Cli) -> None:
    """A script that is not sure calls again; with other content it is told so."""
    first, second = (ready(*CODE, "--key", "code/1").out for _ in range(2))
    assert first == second
    other = ready(*CODE, "--key", "code/1", "--cc", "grace@example.org")
    assert (other.code, "idempotency_key" in other.err) == (1, True)


def test_a_secret_is_printed_nowhere(ready: Cli) -> None:
    """Not by show, not by list, for a person or a script."""
    delivery_id = ready(*CODE).out.strip()
    for command in (("show", delivery_id), ("list",)):
        assert "493817" not in ready(*command).out + ready(*command, "--json").out


def test_a_secret_can_come_from_the_input(
    outbox: dict[str, str], ready: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it stands in no process list and no shell history."""
    monkeypatch.setattr("sys.stdin", io.StringIO("778899\n"))
    words = ["code" if word == "code=493817" else word for word in CODE]
    assert ready(*words).code == 0
    (row,) = query(outbox, "select secrets->>'code' as code from {schema}.mail_payloads")
    assert row["code"] == "778899"


@pytest.mark.parametrize(
    "arguments, field",
    [
        (("send", "no_such_template", "--to", "ada@example.org"), "template"),
        (("send", "login_code", "--to", "ada@example.org"), "template"),
        (("send", "login_code"), "to"),
        ((*CODE, "--cc", "nobody"), "cc"),
        ((*CODE, "--send-at", "2030-01-01T00:00:00"), "send_at"),
        (("list", "--limit", "0"), "limit"),
        (("list", "--recipient", "nobody"), "recipient"),
    ],
)
def test_what_the_service_refuses_is_one_line_that_names_the_field(
    ready: Cli, arguments: tuple[str, ...], field: str
) -> None:
    """Exit code 1, nothing printed, nothing enqueued, no traceback."""
    refused = ready(*arguments)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"galaxy-mail: {field}")
    assert len(refused.err.splitlines()) == 1
    assert ready("stats", "--json").document["pending"] == 0


# --- reading -----------------------------------------------------------------------------------------------------------


def test_stats_has_every_status(ready: Cli) -> None:
    """All four, in their order, though all are 0."""
    assert list(ready("stats", "--json").document.items()) == [
        ("pending", 0),
        ("retrying", 0),
        ("sent", 0),
        ("dead_lettered", 0),
    ]
    assert [line.split()[0] for line in ready("stats").out.splitlines()] == ["pending", "retrying", "sent", "dead_lettered"]  # fmt: skip


def test_list_filters_and_limits(outbox: dict[str, str], ready: Cli) -> None:
    """By status, template and recipient; newest first; keys are stable."""
    first, second = (ready(*CODE, "--cc", f"{name}@example.org").out.strip() for name in ("one", "two"))
    listed = ready("list", "--json").document["deliveries"]
    assert [one["delivery_id"] for one in listed] == [second, first]
    assert set(listed[0]) == SUMMARY_KEYS
    for filters, ids in (
        (("--recipient", "one@example.org"), [first]),
        (("--limit", "1"), [second]),
        (("--status", "sent"), []),
        (("--template", "login_code", "--status", "pending"), [second, first]),
        (("--template", "welcome"), []),
    ):
        found = ready("list", "--json", *filters).document["deliveries"]
        assert [one["delivery_id"] for one in found] == ids, filters
    assert ready("list").out.splitlines()[1].startswith(second)
    assert ready("list", "--status", "sent").out == "nothing found\n"


def test_show_has_a_stable_shape(ready: Cli) -> None:
    """One object: the summary, three lists, the Message-ID, and whether it is held when it is uncertain."""
    delivery_id = ready(*CODE).out.strip()
    shown = ready("show", delivery_id, "--json").document
    assert set(shown) == SUMMARY_KEYS | {"message_id", "recipients", "attempts", "resends", "hold_uncertain"}
    assert shown["message_id"] == f"{delivery_id}@example.org"
    assert set(shown["recipients"][0]) == {"kind", "address", "name", "state", "code", "detail"}
    assert (shown["attempts"], shown["resends"], shown["hold_uncertain"]) == ([], [], False)
    assert {delivery_id, "ada@example.org", "pending"} <= set(ready("show", delivery_id).out.split())


def test_what_befell_an_attempt_is_shown(outbox: dict[str, str], ready: Cli) -> None:
    """Where no server spoke, the fault stands in the place of its words; that a worker fell silent says its stage alone."""
    delivery_id = ready(*CODE).out.strip()
    query(outbox, ATTEMPTS)
    silent, abandoned = ready("show", delivery_id).out.splitlines()[-2:]
    assert silent.split()[-2:] == ["timeout", "w"]
    assert abandoned.split()[-2:] == ["–", "w"]
    faults = [one["fault"] for one in ready("show", delivery_id, "--json").document["attempts"]]
    assert faults == ["timeout", "closed"]


def test_what_does_not_exist_is_not_shown(ready: Cli) -> None:
    """1 for an unknown id, 2 for what is no id."""
    unknown = ready("show", str(UUID(int=0)))
    assert (unknown.code, unknown.out) == (1, "")
    assert "no delivery" in unknown.err
    assert ready("show", "hunter2").code == 2


# --- resend ------------------------------------------------------------------------------------------------------------


def test_a_dead_letter_is_resent_and_the_operator_recorded(outbox: dict[str, str], ready: Cli) -> None:
    """It is pending again; by default the one who called is named."""
    delivery_id = ready(*CODE).out.strip()
    query(outbox, BURY)
    assert ready("show", delivery_id, "--json").document["reason"] == "refused"
    assert ready("resend", delivery_id, "--by", "ada", "--json").document == {"delivery_id": delivery_id}
    query(outbox, "update {schema}.mail_deliveries set claims = 1")
    query(outbox, BURY)
    assert ready("resend", delivery_id).out == f"{delivery_id} is pending again\n"
    shown = ready("show", delivery_id, "--json").document
    assert (shown["status"], shown["resends"][0]["by"]) == ("pending", "ada")
    assert shown["resends"][1]["by"]
    assert "by ada" in ready("show", delivery_id).out


def test_only_a_dead_letter_is_resent(ready: Cli) -> None:
    """1 and the reason for anything else."""
    refused = ready("resend", ready(*CODE).out.strip())
    assert (refused.code, refused.out) == (1, "")
    assert "only a dead letter" in refused.err


# --- purge -------------------------------------------------------------------------------------------------------------


def test_purge_deletes_what_ended_and_counts_it(outbox: dict[str, str], ready: Cli) -> None:
    """An age is asked for; what ended so long ago goes, what is alive stays."""
    assert ready("purge").code == 2
    dead = ready(*CODE).out.strip()
    query(outbox, BURY)
    alive = ready(*CODE).out.strip()
    assert ready("purge", "--older-than", "1h", "--json").document == {"purged": 0}
    assert ready("purge", "--older-than", "0s").out == "deliveries purged: 1\n"
    assert ready("show", dead).code == 1
    assert ready("show", alive).code == 0
