"""Settings are checked once, name every problem at once, and hide their secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galaxy_mail.app.settings import MailSettings, masked_url
from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.settlement import RetryPolicy

GOOD: dict[str, Any] = {"smtp_url": "smtp://127.0.0.1:2525", "sender": "Galaxy <no-reply@example.org>"}

BAD: dict[str, list[Any]] = {
    "smtp_url": ["", "ftp://x"],
    "sender": ["", "nobody", "a@b.org, c@d.org", "a@b.org\r\nBcc: x@y.org", 7],
    "dsn": ["", "mysql://x/y", "postgresql://[", "postgresql://h:99999/x", "postgresql://h:port/x"],
    "schema": ["", "A", "1a", "a-b", 'a"b', "a" * 64, "a;drop"],
    "template_dirs": ["templates", ["/no/such/folder"], ["x" * 5000]],
    "smtp_ca_file": ["/no/such/file", "x" * 5000],
    "admins": [["nobody"], ["a@b.org", "c"]],
    "max_attempts": [0, -1, 1001, 1.5, "3", None, True],
    "max_age": [timedelta(0), timedelta(days=400), 5],
    "abandoned_limit": [0, 10**9],
    "backoff_base": [timedelta(0), timedelta(days=2)],
    "backoff_factor": [0.5, 1000, float("nan")],
    "backoff_cap": [timedelta(0), timedelta(days=32), timedelta(seconds=1)],
    "backoff_jitter": [-0.1, 1.0, float("nan")],
    "poll_interval": [timedelta(0), timedelta(hours=2), 1],
    "lease": [timedelta(0), timedelta(milliseconds=999), timedelta(hours=2)],
    "batch_size": [0, 10_001],
    "connections": [0, 1_001],
    "stop_grace": [timedelta(seconds=-1), timedelta(hours=2)],
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in BAD.items() for value in values])
def test_a_value_out_of_range_is_named(name: str, value: Any) -> None:
    """Each bad value alone is one problem, and it names its setting."""
    with pytest.raises(InvalidSettings) as refused:
        MailSettings(**{**GOOD, name: value})
    assert {problem.split(":")[0] for problem in refused.value.problems} <= {name, "backoff_base"}


@given(st.sets(st.sampled_from(sorted(BAD.keys() - {"backoff_cap"})), min_size=1))
def test_all_problems_are_named_at_once(names: set[str]) -> None:
    """However many settings are wrong, one error names them all and no other."""
    with pytest.raises(InvalidSettings) as refused:
        MailSettings(**{**GOOD, **{name: BAD[name][0] for name in names}})
    assert {problem.split(":")[0] for problem in refused.value.problems} == names


def test_the_defaults_are_the_promised_ones() -> None:
    """5 s, ×2, at most 1 h, ±25 %; 12 attempts; 5 days; a lease of 10 s."""
    config = MailSettings(**GOOD).runtime
    assert config.retry == RetryPolicy()
    assert config.lease == timedelta(seconds=10)


def test_settings_reach_the_runtime_configuration() -> None:
    """Every pacing and bounding setting is found again in the runtime configuration."""
    minute = timedelta(minutes=1)
    settings = MailSettings(
        **GOOD, max_attempts=3, max_age=minute, abandoned_limit=2, backoff_base=minute, backoff_factor=3.0,
        backoff_cap=2 * minute, backoff_jitter=0.1, poll_interval=minute, lease=2 * minute, batch_size=7, stop_grace=minute,
    )  # fmt: skip
    config = settings.runtime
    assert (config.poll_interval, config.lease, config.batch_size, config.stop_grace) == (
        minute,
        2 * minute,
        7,
        minute,
    )
    assert (config.retry.max_attempts, config.retry.max_age, config.retry.abandoned_limit) == (3, minute, 2)
    assert config.retry.backoff.delay(2, 0.5) == 2 * minute


def test_no_repr_shows_a_password() -> None:
    """Neither the relay's nor the database's password is in a repr."""
    settings = MailSettings(
        smtp_url="smtps://u:hunter2@mx.example.org", sender="a@b.org", dsn="postgresql://u:hunter3@h/d"
    )
    assert "hunter" not in repr(settings)
    assert "u:***@mx.example.org" in repr(settings)


@given(st.text(st.characters(exclude_characters="@/:?#", codec="utf-8"), min_size=4))
def test_a_masked_url_hides_any_password(password: str) -> None:
    """Whatever stands between user and host is masked."""
    assert masked_url(f"smtp://user:{password}@host/") == "smtp://user:***@host/"
