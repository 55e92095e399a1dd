"""What can be typed: the commands and their options. Nothing is done here."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from galaxy_mail.app.cli import values
from galaxy_mail.app.cli.parser import Parser
from galaxy_mail.app.settings_sources import FILE_VARIABLE
from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.mail import Lane
from galaxy_mail.domain.records import MAX_LISTED

EPILOG = """\
Settings come from flags, from GALAXY_MAIL_* variables and from a TOML file, in this order. Without a dsn an embedded
PostgreSQL is used, with its data in GALAXY_MAIL_HOME or in your own data folder.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage or settings, 130 interrupted.
"""


PEOPLE = {
    "to": "a recipient",
    "cc": "who gets a copy",
    "bcc": "who gets a copy of which the others do not know",
    "reply-to": "where answers go",
}

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def build_parser() -> Parser:
    """The parser of ``galaxy-mail``; ``arguments.command`` is the name of the chosen command."""
    parser = Parser(
        prog="galaxy-mail",
        description="A transactional e-mail outbox on PostgreSQL.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"galaxy-mail {version('galaxy-mail')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for add in (
        _demo,
        _migrate,
        _worker,
        _send,
        _stats,
        _list,
        _show,
        _resend,
        _purge,
        _shape,
        _audit,
        _doctor,
    ):
        add(commands)
    return parser


def _command(
    commands: Commands, name: str, does: str, *, settings: bool = True, json: bool = True
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=does, description=does[0].upper() + does[1:] + ".", allow_abbrev=False
    )
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
    if settings:
        _settings(parser)
    return parser


def _settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings")
    group.add_argument("--dsn", metavar="URL", help="the database, postgresql://…")
    group.add_argument("--schema", metavar="NAME", help="the schema that holds the outbox")
    group.add_argument("--smtp-url", metavar="URL", help="the relay, smtp://… or smtps://…")
    group.add_argument("--sender", metavar="MAILBOX", help="the From of every mail")
    group.add_argument(
        "--template-dir",
        dest="template_dirs",
        metavar="DIR",
        action="append",
        help="where templates are; repeatable",
    )
    group.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=values.pair,
        help="any other setting; repeatable",
    )
    group.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help=f"a TOML file with a table [galaxy_mail] (or {FILE_VARIABLE})",
    )


def _demo(commands: Commands) -> None:
    parser = _command(
        commands,
        "demo",
        "send real mails through an embedded PostgreSQL into a local inbox",
        settings=False,
        json=False,
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("demo-output"), help="where everything goes"
    )


def _migrate(commands: Commands) -> None:
    parser = _command(commands, "migrate", "bring the database schema up to date")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--sql", action="store_true", help="print the script for an empty database; needs no database"
    )
    how.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if the schema is not up to date"
    )


def _worker(commands: Commands) -> None:
    parser = _command(
        commands,
        "worker",
        "send what is due, until told to stop (SIGTERM, Ctrl-C); a second signal stops hard",
    )
    parser.add_argument(
        "--until-empty", action="store_true", help="stop once nothing is pending, retrying or leased"
    )
    parser.add_argument(
        "--processes",
        metavar="N",
        type=values.count,
        default=1,
        help="how many workers, each in its own process",
    )


def _send(commands: Commands) -> None:
    parser = _command(commands, "send", "enqueue one mail")
    parser.add_argument("template", metavar="TEMPLATE", help="the name of its template")
    for kind, who in PEOPLE.items():
        parser.add_argument(
            f"--{kind}", metavar="MAILBOX", action="append", default=[], help=f"{who}; repeatable"
        )
    parser.add_argument(
        "--var",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=values.pair,
        help="a variable of the template; repeatable",
    )
    parser.add_argument(
        "--secret", metavar="NAME[=VALUE]", action="append", default=[], type=values.secret,
        help="a variable that is shown nowhere and wiped in the end; without a value, one line is read from the input; repeatable",
    )  # fmt: skip
    parser.add_argument("--key", metavar="KEY", help="the idempotency key: the same mail is enqueued once")
    parser.add_argument(
        "--ttl", metavar="DURATION", type=values.duration, help="never send it later than this from now (5m)"
    )
    parser.add_argument(
        "--send-at",
        metavar="TIME",
        type=values.instant,
        help="send it no earlier (ISO 8601, with a time zone)",
    )
    parser.add_argument(
        "--lane", choices=[lane.name.lower() for lane in Lane], default="normal", help="how urgent it is"
    )
    parser.add_argument(
        "--on-uncertain",
        choices=["retry", "hold"],
        default="retry",
        help="what to do where nobody knows whether the server has it: send it again, or hold it for you to decide",
    )


def _stats(commands: Commands) -> None:
    _command(commands, "stats", "count the deliveries by status")


def _list(commands: Commands) -> None:
    parser = _command(commands, "list", "list deliveries, newest first")
    parser.add_argument(
        "--status", choices=[status.value for status in DeliveryStatus], help="only those in this status"
    )
    parser.add_argument("--template", metavar="NAME", help="only those of this template")
    parser.add_argument("--recipient", metavar="ADDRESS", help="only those to this address, exactly")
    parser.add_argument(
        "--limit", metavar="N", type=int, default=50, help=f"at most so many, up to {MAX_LISTED}"
    )


def _show(commands: Commands) -> None:
    parser = _command(commands, "show", "show a delivery, its recipients and every attempt")
    parser.add_argument("id", metavar="ID", type=values.delivery_id, help="its delivery id")


def _resend(commands: Commands) -> None:
    parser = _command(commands, "resend", "put a dead letter back into the queue")
    parser.add_argument("id", metavar="ID", type=values.delivery_id, help="its delivery id")
    parser.add_argument("--by", metavar="WHO", help="who decided, for the record; you, by default")


def _purge(commands: Commands) -> None:
    parser = _command(commands, "purge", "delete what ended long ago, in short transactions")
    parser.add_argument(
        "--older-than",
        metavar="DURATION",
        type=values.duration,
        required=True,
        help="how long ago it must have ended (30d)",
    )


def _shape(commands: Commands) -> None:
    parser = _command(
        commands, "shape", "show who waits, by age and recipient domain: what is stuck, and since when"
    )
    parser.add_argument(
        "--domains",
        metavar="N",
        type=int,
        default=20,
        help="of at most so many domains, those with most first",
    )


def _audit(commands: Commands) -> None:
    parser = _command(
        commands,
        "audit",
        "check what always holds, by one pass over the tables; exit 1 if a delivery breaks it",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        default=10,
        help=f"name at most so many deliveries for each, up to {MAX_LISTED}",
    )


def _doctor(commands: Commands) -> None:
    _command(
        commands,
        "doctor",
        "look at the schema, clocks, wake-up, relay, outages, due mail, notices and tables; exit 1 if anything is bad; sends no mail",
    )
