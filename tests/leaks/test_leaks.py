"""No secret is in anything that a run of failures wrote; and the search is awake: it finds each leak that is planted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.core import GaugeMetricFamily

from galaxy_mail.adapters.prometheus import collector
from galaxy_mail.adapters.smtp.login import Login
from galaxy_mail.adapters.smtp.sender import PooledSmtpSender
from galaxy_mail.app import delivery_pass
from galaxy_mail.domain.errors import InvalidInput
from tests.leaks.run import Run
from tests.leaks.secrets import CODE, SECRETS, forms, leaks


@pytest.fixture
def run(postgres_dsn: str, schema_name: str, tmp_path: Path) -> Callable[[bool], Run]:
    """A run that logs in by token, or by password."""
    return lambda by_token: Run(postgres_dsn, schema_name, tmp_path, by_token)


@pytest.mark.parametrize("by_token", [False, True], ids=["password", "token"])
async def test_no_secret_is_in_anything_that_was_written(run: Callable[[bool], Run], by_token: bool) -> None:
    """P13: in no log, exception, repr, row, notice, metric or command's output; and something was written everywhere."""
    this = run(by_token)
    written = await this.written()
    assert leaks(written, this.secrets) == []
    assert len(written["a log"]) > 1_000
    assert all(written[place] for place in ("an exception", "a repr", "a metric", "a row of mail_attempts"))
    assert bool(written["a notice"]) is not by_token  # else they are in the log


@pytest.mark.parametrize("name", SECRETS)
def test_each_form_of_a_secret_is_found(name: str) -> None:
    """Plain, in a URL, and in base64 whatever stands before it."""
    secret = SECRETS[name]
    for form in forms(secret):
        assert leaks({"a log": f"x{form}y", "a repr": "nothing"}) == [f"{name} is in a log"]


def _log_the_body(send: Any) -> Any:
    async def logged(self: Any, envelope: Any, message: bytes, gate: Any) -> Any:
        logging.getLogger("galaxy_mail").debug("%s", message)
        return await send(self, envelope, message, gate)

    return logged


def _log_the_reason(told: Any) -> Any:
    async def logged(self: Any, ask: Any) -> Any:
        try:
            return ask()
        except LookupError as error:
            logging.getLogger("galaxy_mail").warning("no token: %s", error)
            return await told(self, ask)

    return logged


def _told_with_the_value(_: Any) -> Any:
    def init(self: Any, field: str, problem: str) -> None:
        Exception.__init__(self, f"{field}: {problem} {CODE}")
        self.field, self.problem = field, problem

    return init


PLANTED: dict[str, tuple[bool, object, str, Callable[[Any], object], str]] = {
    "a relay is quoted as it speaks": (False, delivery_pass, "redacted", lambda _: lambda receipt, _: receipt, "a row of mail_attempts"),
    "a login is quoted as it was said": (False, Login, "discreet", lambda _: lambda self, reply: reply, "a row of mail_attempts"),
    "a body is logged": (False, PooledSmtpSender, "send", _log_the_body, "a log"),
    "a token's failure is told in its words": (True, Login, "_token", _log_the_reason, "a log"),
    "a password is in a repr": (False, PooledSmtpSender, "__repr__", lambda _: lambda self: f"{self._config.password}", "a repr"),
    "a value is in an error": (False, InvalidInput, "__init__", _told_with_the_value, "an exception"),
    "a code is a label": (False, collector, "_gauge", lambda _: lambda: GaugeMetricFamily(collector.NAME, CODE, labels=["state"]), "a metric"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
async def test_planted_leaks_are_found(
    run: Callable[[bool], Run], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thing is told that should not be, and the search says where."""
    by_token, owner, attribute, plant, place = PLANTED[name]
    monkeypatch.setattr(owner, attribute, plant(getattr(owner, attribute)))
    found = leaks(await run(by_token).written())
    assert any(leak.endswith(f" is in {place}") for leak in found), found
