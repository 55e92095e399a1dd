"""Where settings come from: flags, environment, a TOML file. Pure functions from mappings to MailSettings, and a thin edge.

A setting has the same name everywhere, that of its field in ``MailSettings``: ``max_attempts`` in the file,
``GALAXY_MAIL_MAX_ATTEMPTS`` in the environment, ``--set max_attempts=`` on the command line. Flags win over the environment,
the environment over the file, the file over the defaults. Whatever is wrong is named at once, with where it was found and
never with its value: that might be a password.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from galaxy_mail.app.settings import MailSettings
from galaxy_mail.app.settings_values import path_fields, readers
from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.text import shown

PREFIX = "GALAXY_MAIL_"
TABLE = "galaxy_mail"
FILE_VARIABLE = "GALAXY_MAIL_CONFIG"
HOME_VARIABLE = "GALAXY_MAIL_HOME"

# Kubernetes and Docker links describe a service named galaxy-mail in variables of this form; TEST_ is for our own tests.
_FOREIGN = re.compile(r"(SERVICE_|TEST_).*|PORT(_.*)?")

# What stands in where a command can do without: nothing can be sent with it.
STAND_INS = {"smtp_url": "smtps://smtp.invalid", "sender": "nobody@sender.invalid"}


@attrs.frozen
class Source:
    """Raw values by field name, from one place. ``called`` says how that place calls a field."""

    values: Mapping[str, object] = attrs.field(repr=False)
    called: Callable[[str], str]
    problems: tuple[str, ...] = ()


def settings_from(sources: Sequence[Source], needed: Collection[str] = STAND_INS) -> MailSettings:
    """The settings that the sources make together; an earlier source wins over a later one.

    ``needed`` names the fields without a default that must be given. Where ``smtp_url`` or ``sender`` is not needed a
    stand-in takes its place, so that who only looks at the tables need not say where mail would go.

    Raises:
        InvalidSettings: with every problem of every source at once.
    """
    problems = [problem for source in sources for problem in source.problems]
    origins: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, read in readers().items():
        source = next((source for source in sources if name in source.values), None)
        if source is None:
            continue
        origins[name] = source.called(name)
        try:
            values[name] = read(source.values[name])
        except ValueError as error:
            problems.append(f"{name} ({origins[name]}): {error}")
    problems += [f"{name}: is needed: {ways(name)}" for name in needed if name not in origins]
    try:
        settings = MailSettings(**(STAND_INS | values))
    except InvalidSettings as error:
        problems += [_located(problem, origins) for problem in error.problems]
    if problems:
        raise InvalidSettings(problems)
    return settings


def _located(problem: str, origins: Mapping[str, str]) -> str:
    name, colon, what = problem.partition(":")
    return f"{name} ({origins[name]}){colon}{what}" if name in origins else problem


def ways(name: str) -> str:
    """How a person can give this setting."""
    return f"give {flag(name)}, {PREFIX}{name.upper()}, or {name} in the file"


def flag(name: str) -> str:
    """How the command line calls a setting."""
    own = {"dsn", "smtp_url", "sender", "schema", "template_dirs"}
    return "--" + name.removesuffix("s").replace("_", "-") if name in own else f"--set {name}="


# --- three sources ---------------------------------------------------------------------------------------------------


def from_flags(flags: Mapping[str, object], pairs: Sequence[tuple[str, str]] = ()) -> Source:
    """The command line: flags of their own by field name (None where not given), and the pairs of ``--set``."""
    given = {name: value for name, value in flags.items() if value is not None}
    unknown = [f"--set {shown(name)}: is no setting" for name, _ in pairs if name not in readers()]
    return Source(dict(pairs) | given, flag, tuple(unknown))


def from_environment(environ: Mapping[str, str]) -> Source:
    """The variables ``GALAXY_MAIL_…``; an empty one counts as not set."""
    names = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)}
    ours = {
        name.lower(): value
        for name, value in names.items()
        if value and not _FOREIGN.fullmatch(name) and PREFIX + name not in (FILE_VARIABLE, HOME_VARIABLE)
    }
    unknown = [f"{PREFIX}{shown(name.upper())}: is no setting" for name in ours if name not in readers()]
    return Source(ours, lambda name: PREFIX + name.upper(), tuple(unknown))


def from_file(path: Path) -> Source:
    """The table ``[galaxy_mail]`` of a TOML file; its relative paths start at the file's folder."""
    try:
        table = tomllib.loads(path.read_text("utf-8")).get(TABLE)
    except OSError as error:
        return _unusable(path, error.strerror or type(error).__name__)
    # Neither TOML nor, perhaps, UTF-8; the parser's text may quote the line.
    except (ValueError, RecursionError):
        return _unusable(path, "is not TOML")
    return from_table(table, path)


def from_table(table: object, path: Path) -> Source:
    """What the table at ``path`` says."""
    if not isinstance(table, Mapping):
        return _unusable(path, f"has no table [{TABLE}]")
    unknown = [f"{shown(name)} in {path.name}: is no setting" for name in table if name not in readers()]
    rooted = {name: _rooted(name, value, path.parent) for name, value in table.items()}
    return Source(rooted, lambda _: path.name, tuple(unknown))


def _unusable(path: Path, what: str) -> Source:
    return Source({}, str, (f"{shown(str(path))}: {what}",))


def _rooted(name: str, value: object, folder: Path) -> object:
    if name not in path_fields():
        return value
    if isinstance(value, list):
        return [_rooted(name, item, folder) for item in value]
    return str(folder / value) if isinstance(value, str) else value
