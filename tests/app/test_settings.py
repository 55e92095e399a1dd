"""Settings are checked once, name every problem at once, and hide their secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.app.settings import MailSettings, masked_url
from galaxy_mail.domain.errors import InvalidSettings
from galaxy_mail.domain.settlement import RetryPolicy
from galaxy_mail.domain.verdict_table import VerdictTable

GOOD: dict[str, Any] = {"smtp_url": "smtp://127.0.0.1:2525", "sender": "Galaxy <no-reply@example.org>"}

BAD: dict[str, list[Any]] = {
    "smtp_url": ["", "ftp://x"],
    "sender": ["", "nobody", "a@b.org, c@d.org", "a@b.org\r\nBcc: x@y.org", 7],
    "dsn": ["", "mysql://x/y", "postgresql://[", "postgresql://h:99999/x", "postgresql://h:port/x"],
    "schema": ["", "A", "1a", "a-b", 'a"b', "a" * 64, "a;drop"],
    "template_dirs": ["templates", ["/no/such/folder"], ["x" * 5000]],
    "smtp_ca_file": ["/no/such/file", "x" * 5000, "a\0b", "\ud800"],
    "smtp_local_hostname": ["", "two words", "a\r\nb", "bücher.example", "\0"],
    "statement_cache": ["no", 0, None],
    "log_notices": ["no", 1, None],
    "verdicts": [
        "rcpt 550 -> transient policy keep",
        [550],
        ["rcpt 550"],
        ["rcpt 550 -> success policy keep"],
    ],
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


class Odd:
    """What no setting can be."""

    def __repr__(self) -> str:
        return "hunter2"


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(MailSettings)])
@pytest.mark.parametrize(
    "value", [Odd(), [Odd()], {"hunter2": 1}, b"hunter2", float("nan")], ids=lambda v: type(v).__name__
)
def test_a_value_of_another_type_is_named(name: str, value: Any) -> None:
    """By one problem, and not by whatever error the first look at it would raise."""
    with pytest.raises(InvalidSettings, match=f"^invalid settings:\n  - {name}: must be [^\n]*$") as refused:
        MailSettings(**{**GOOD, name: value})
    assert "hunter2" not in str(refused.value)


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


def test_the_table_of_verdicts_has_the_lines_of_the_settings_before_it() -> None:
    """In their order; without any it is the plain table."""
    assert MailSettings(**GOOD).verdict_table == VerdictTable()
    lines = ["rcpt 550/5.7.606 -> transient policy keep", "rcpt 5xx -> transient recipient burn"]
    table = MailSettings(**GOOD, verdicts=lines).verdict_table
    assert [rule.signals for rule in table.overrides] == ["550/5.7.606", "5xx"]


# What may stand unescaped in a URL by somebody's mistake: where then does the password end?
PASSWORDS = st.text(st.sampled_from("@:/?#&=[]%, 12\u2100"), max_size=6).map("{0}hunter{0}2".format)


@pytest.mark.parametrize(
    "dsn, shown",
    [
        ("postgresql://u:hunter3@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?password=hunter2&sslmode=require", "postgresql://h/d?***"),
        ("postgresql://h/d?hunter2#hunter2", "postgresql://h/d?***#***"),
        ("postgresql://u:hunter@:hunter@h1:1,h2:2/d", "postgresql://u:***@h1:1,h2:2/d"),
        ("postgresql://u:1/hunter2@h/d", "postgresql://***"),
        ("postgresql://u:1?hunter2@h/d", "postgresql://***"),
    ],
)
def test_no_repr_shows_a_password(dsn: str, shown: str) -> None:
    """Neither the relay's nor the database's password is in a repr, wherever the URL holds it."""
    settings = MailSettings(smtp_url="smtps://u:p@ss:hunter2@mx.example.org", sender="a@b.org", dsn=dsn)
    assert "hunter" not in repr(settings)
    assert "smtp_url=smtps://u:***@mx.example.org," in repr(settings)
    assert f"dsn={shown}," in repr(settings)


@given(
    password=PASSWORDS,
    user=st.text(st.sampled_from("u@:/?#[]"), max_size=4),
    host=st.sampled_from(("h", "h:1", "[::1]", "")),
)
@example(password="hunter2", user="us:e@r", host="h")
def test_a_masked_url_hides_any_password(password: str, user: str, host: str) -> None:
    """Whatever stands between user and host, or is a value of the query, is masked; escaped or not."""
    shown = [
        masked_url(f"smtps://{user}:{password}@{host}/d"),
        masked_url(f"postgresql://{host}/d?a=1&password={password}"),
    ]
    assert "hunter" not in "".join(shown)


def test_what_is_no_secret_stays_in_sight() -> None:
    """A URL without one is shown as it is, and no URL as None."""
    assert masked_url("postgresql://u@h:5432/d") == "postgresql://u@h:5432/d"
    assert masked_url(None) == "None"
