"""What the settings that are no numbers must be. A check gets a value of the right type and says all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import NoneType
from typing import Any
from urllib.parse import urlsplit

from galaxy_mail.app.relay_url import parse_relay
from galaxy_mail.domain.addresses import EmailAddress, Mailbox
from galaxy_mail.domain.errors import InvalidAddress, InvalidSettings
from galaxy_mail.domain.names import schema_name_problem
from galaxy_mail.domain.text import shown
from galaxy_mail.domain.verdict_overrides import parse_overrides

Check = Callable[[Any], Iterable[str]]

_HOST_NAME = re.compile(r"[!-~]+")  # EHLO takes an address in brackets as well (RFC 5321 section 4.1.3)


def text_problems(settings: object) -> Iterator[str]:
    """Every problem of every setting in ``CHECKS``, as ``name: what is wrong``, without its value unless that is a path."""
    for name, (kinds, words, check) in CHECKS.items():
        value = getattr(settings, name)
        if not isinstance(value, kinds):
            yield f"{name}: must be {words}"
        elif value is not None:
            yield from check(value)


def list_problems(settings: object) -> Iterator[str]:
    """The same for the lists."""
    for name, (kinds, words, check) in LISTS.items():
        values = getattr(settings, name)
        if (
            isinstance(values, str)
            or not isinstance(values, Sequence)
            or not all(isinstance(v, kinds) for v in values)
        ):
            yield f"{name}: must be a list of {words}"
        else:
            yield from check(values)


def _nothing_more(_: bool) -> Iterable[str]:
    return ()


def _refused(parse: Callable[[Any], object]) -> Check:
    """A check that is a parser's own."""

    def check(value: object) -> Iterable[str]:
        try:
            parse(value)
        except InvalidSettings as error:
            return error.problems
        except InvalidAddress as error:
            return [str(error)]
        return ()

    return check


def _dsn(dsn: str) -> Iterator[str]:
    try:
        parts = urlsplit(dsn)
        # Several hosts have several ports, which urlsplit does not know; the driver does.
        _ = parts.port if "," not in parts.netloc else None
    except ValueError:
        yield "dsn: is not a URL, or its port is not a number from 1 to 65535"
    else:
        if parts.scheme not in ("postgresql", "postgres"):
            yield "dsn: must begin with postgresql://"


def _schema(name: str) -> Iterator[str]:
    if problem := schema_name_problem(name):
        yield problem


def _ca_file(path: str | Path) -> Iterator[str]:
    if not _is_there(Path(path).is_file):
        yield "smtp_ca_file: is not a file"


def _local_hostname(name: str) -> Iterator[str]:
    if not _HOST_NAME.fullmatch(name):
        yield "smtp_local_hostname: must be one ASCII word"


def _template_dirs(paths: Sequence[str | Path]) -> Iterator[str]:
    for path in paths:
        if not _is_there(Path(path).is_dir):
            yield f"template_dirs: {shown(str(path))} is not a folder"


def _admins(addresses: Sequence[str]) -> Iterator[str]:
    check = _refused(lambda address: EmailAddress.parse(address, "admins"))
    for address in addresses:
        yield from check(address)


def _is_there(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except (OSError, ValueError):  # we may not look there, or nothing can be called so
        return False


# name -> what it may be, how to say it, and what else it must fulfil
CHECKS: dict[str, tuple[tuple[type, ...], str, Check]] = {
    "smtp_url": ((str,), "text", _refused(parse_relay)),
    "sender": ((str,), "text", _refused(lambda text: Mailbox.parse(text, "sender"))),
    "dsn": ((str, NoneType), "text", _dsn),
    "schema": ((str,), "text", _schema),
    "statement_cache": ((bool,), "true or false", _nothing_more),
    "smtp_ca_file": ((str, Path, NoneType), "a path", _ca_file),
    "smtp_local_hostname": ((str, NoneType), "text", _local_hostname),
    "log_notices": ((bool,), "true or false", _nothing_more),
}
LISTS: dict[str, tuple[tuple[type, ...], str, Check]] = {
    "template_dirs": ((str, Path), "folders", _template_dirs),
    "admins": ((str,), "addresses", _admins),
    "verdicts": ((str,), "lines", _refused(parse_overrides)),
}
