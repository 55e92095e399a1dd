"""Without a dsn there is a PostgreSQL all the same."""

from __future__ import annotations

from pathlib import Path

from tests.app.cli.conftest import SENDER, Cli
from tests.app.cli.test_commands import CODE


def test_without_a_dsn_the_embedded_server_is_used_and_said_so(
    environ: dict[str, str], cli: Cli, tmp_path: Path
) -> None:
    """It migrates itself, keeps its data between calls, and standard output holds the answer alone."""
    environ["GALAXY_MAIL_HOME"] = str(tmp_path / "data")
    enqueued = cli(*CODE, "--sender", SENDER, "--json")
    assert enqueued.code == 0, enqueued.err
    assert f"using the embedded PostgreSQL in {tmp_path / 'data' / 'postgres'}" in enqueued.err
    listed = cli("list", "--json").document["deliveries"]
    assert [one["delivery_id"] for one in listed] == [enqueued.document["delivery_id"]]
    assert cli("migrate", "--json").document == {"applied": []}


def test_a_folder_that_cannot_be_used_is_an_error_of_ours(environ: dict[str, str], cli: Cli) -> None:
    """One line that says how to choose another."""
    environ["GALAXY_MAIL_HOME"] = "/dev/null/x"
    refused = cli("stats")
    assert (refused.code, refused.out) == (1, "")
    assert "set GALAXY_MAIL_HOME" in refused.err
