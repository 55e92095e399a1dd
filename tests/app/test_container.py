"""The wiring: what is missing is named before anything runs, and a host replaces what it likes."""

from __future__ import annotations

import logging
from typing import Any

import attrs
import pytest
from dependency_injector import containers, providers
from prometheus_client import CollectorRegistry

from galaxy_mail.adapters.clock.system import SystemClock
from galaxy_mail.adapters.log.notifier import LoggingAdminNotifier
from galaxy_mail.adapters.memory import MemoryStore
from galaxy_mail.adapters.noop.notifier import NoopAdminNotifier
from galaxy_mail.adapters.smtp import SmtpAdminNotifier
from galaxy_mail.app import MailContainer, MailService, MailSettings, Worker, check_wiring, open_mail
from galaxy_mail.app.container import relay_config
from galaxy_mail.domain.errors import InvalidSettings, MissingWiring
from galaxy_mail.domain.verdict_table import VerdictTable

SETTINGS = MailSettings(smtp_url="smtp://127.0.0.1:2525", sender="no-reply@example.org")


@pytest.mark.parametrize(
    "given, missing",
    [
        ({}, {"settings", "pool"}),
        ({"settings": SETTINGS}, {"pool"}),
        ({"pool": object()}, {"settings"}),
    ],
)
def test_every_hole_is_named_with_its_remedy(given: dict[str, Any], missing: set[str]) -> None:
    """One error names all that is missing, and how to give it."""
    with pytest.raises(MissingWiring) as refused:
        check_wiring(MailContainer(**given))
    assert {problem.split(" ")[0] for problem in refused.value.missing} == missing
    assert all("(give " in problem for problem in refused.value.missing)


def test_a_provider_that_gives_nothing_is_a_hole() -> None:
    """None is no notifier."""
    container = MailContainer(settings=SETTINGS, pool=object())
    container.notifier.override(providers.Object(None))
    with pytest.raises(MissingWiring, match="notifier"):
        check_wiring(container)


def test_settings_of_another_type_are_refused() -> None:
    """A dict is no MailSettings."""
    with pytest.raises(MissingWiring, match="MailSettings"):
        check_wiring(MailContainer(settings={"smtp_url": "smtp://x"}, pool=object()))


def test_a_complete_container_resolves() -> None:
    """Settings and a pool are enough: clock, logger and all else have defaults."""
    container = MailContainer(settings=SETTINGS, pool=object())
    check_wiring(container)
    assert isinstance(container.service(), MailService)
    assert isinstance(container.worker(), Worker)
    assert isinstance(container.clock(), SystemClock)
    assert container.logger() is logging.getLogger("galaxy_mail")
    assert container.service() is container.service()
    assert container.worker() is not container.worker()


def test_a_store_in_memory_needs_no_pool() -> None:
    """In a host's unit tests an override is enough."""

    class Backend(containers.DeclarativeContainer):
        """A host application."""

        mail = providers.Container(MailContainer, settings=providers.Object(SETTINGS))

    backend = Backend()
    with pytest.raises(MissingWiring):
        check_wiring(backend.mail)
    backend.mail.store.override(providers.Singleton(MemoryStore))
    check_wiring(backend.mail)
    assert isinstance(backend.mail.store(), MemoryStore)


@pytest.mark.parametrize(
    "changes, kind",
    [
        ({}, NoopAdminNotifier),
        ({"log_notices": True}, LoggingAdminNotifier),
        ({"admins": ["ops@example.org"]}, SmtpAdminNotifier),
    ],
)
def test_the_notifier_follows_the_settings(changes: dict[str, Any], kind: type) -> None:
    """Mail to the admins where some are named, else the log if asked for, else nothing."""
    settings = MailSettings(smtp_url="smtp://127.0.0.1:2525", sender="no-reply@example.org", **changes)
    assert isinstance(MailContainer(settings=settings, pool=object()).notifier(), kind)


def test_speaking_in_clear_is_said_aloud(caplog: pytest.LogCaptureFixture) -> None:
    """Plaintext is logged as a warning when the sender is made; TLS is not."""
    MailContainer(settings=SETTINGS, pool=object()).sender()
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (
        logging.WARNING,
        "mail to 127.0.0.1:2525 travels in clear: no TLS is used",
    )
    caplog.clear()
    secure = MailSettings(smtp_url="smtps://mx.example.org", sender="no-reply@example.org")
    MailContainer(settings=secure, pool=object()).sender()
    assert not caplog.records


def token() -> str:
    """What a host gives for its access token."""
    return "t0ken"


@pytest.mark.parametrize("admins", [(), ("ops@example.org",)])
def test_an_access_token_is_the_hosts_to_give(admins: tuple[str, ...]) -> None:
    """A user without a password needs one, whether mail or a notice is sent; as a plain callable it is not called before."""
    settings = MailSettings(smtp_url="smtps://u@mx.example.org", sender="no-reply@example.org", admins=admins)
    with pytest.raises(InvalidSettings, match="smtp_url: names a user without a password"):
        check_wiring(MailContainer(settings=settings, pool=object()))
    check_wiring(MailContainer(settings=settings, pool=object(), access_token=token))
    assert relay_config(settings, token).access_token is token


@pytest.mark.parametrize(
    "url", ["smtps://mx.example.org", "smtps://u:p4ss@mx.example.org", "smtp://localhost"]
)
def test_an_access_token_goes_with_a_user_alone(url: str) -> None:
    """Beside a password, or with nobody to log in, it is a mistake."""
    settings = MailSettings(smtp_url=url, sender="no-reply@example.org")
    with pytest.raises(InvalidSettings, match="access_token") as refused:
        check_wiring(MailContainer(settings=settings, pool=object(), access_token=token))
    assert "p4ss" not in str(refused.value)


@pytest.mark.parametrize("admins", [(), ("ops@example.org",)])
def test_what_the_settings_say_of_verdicts_reaches_the_relay(admins: tuple[str, ...]) -> None:
    """For mails and for notices alike."""
    lines = ["rcpt 550/5.7.606 -> transient policy keep"]
    settings = attrs.evolve(SETTINGS, verdicts=lines, admins=admins)
    assert relay_config(settings).verdicts == settings.verdict_table != VerdictTable()


async def test_open_mail_needs_a_dsn() -> None:
    """Without one it says so before it connects anywhere."""
    with pytest.raises(InvalidSettings, match="dsn"):
        async with open_mail(SETTINGS):
            pass


async def test_the_gauge_is_wired_to_the_service() -> None:
    """A registry of the host's shows the depth of this container's outbox."""
    container = MailContainer(settings=SETTINGS)
    container.store.override(providers.Singleton(MemoryStore))
    registry = CollectorRegistry()
    collector = container.depth_collector()
    registry.register(collector)
    await collector.refresh()
    depths = {
        tuple(sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }
    assert depths == {("pending",): 0.0, ("retrying",): 0.0, ("sent",): 0.0, ("dead_lettered",): 0.0}
