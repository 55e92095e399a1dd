"""The wiring: the only module that names concrete adapters.

A host embeds it with ``providers.Container(MailContainer, settings=…, pool=…)`` and replaces what it likes with
``override`` before the first use. All providers are synchronous: an asynchronous one would turn every ``container.x()`` into
a future that no type checker sees. What has to be opened and closed (pool, connections) is opened around the container: by
``open_mail``, or by the host.

No postponed annotations here: dependency-injector would silently not inject.
"""

import logging
import os
import platform
import re
from pathlib import Path

from dependency_injector import containers, providers
from dependency_injector.errors import Error as InjectionError

from galaxy_mail.adapters.clock.system import SystemClock
from galaxy_mail.adapters.embedded_postgres.server import EmbeddedPostgres
from galaxy_mail.adapters.entropy.system import SystemEntropy
from galaxy_mail.adapters.jinja.renderer import JinjaTemplateRenderer
from galaxy_mail.adapters.log.notifier import LoggingAdminNotifier
from galaxy_mail.adapters.noop.notifier import NoopAdminNotifier
from galaxy_mail.adapters.postgres import (
    Pool,
    PostgresDiagnostics,
    PostgresStore,
    PostgresTransaction,
    check,
    migrate,
    migration_script,
    open_pool,
)
from galaxy_mail.adapters.prometheus.collector import OutboxDepthCollector
from galaxy_mail.adapters.smtp import (
    AccessToken,
    PooledSmtpSender,
    PoolLimits,
    RelayConfig,
    SmtpAdminNotifier,
    SmtpRelayProbe,
    TlsMode,
)
from galaxy_mail.app.breakers import Breakers
from galaxy_mail.app.composing import Composer
from galaxy_mail.app.delivery_pass import DeliveryPass
from galaxy_mail.app.doctor import Doctor
from galaxy_mail.app.herald import Herald
from galaxy_mail.app.service import MailService
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.app.settler import Settler
from galaxy_mail.app.worker import Worker
from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.errors import InvalidSettings, MissingWiring
from galaxy_mail.domain.ports import AdminNotifier, Clock

__all__ = [
    "AccessToken",
    "MailContainer",
    "Pool",
    "PostgresTransaction",
    "check_wiring",
    "embedded_postgres",
    "migration_script",
    "open_pool",
]


def relay_config(settings: MailSettings, access_token: AccessToken | None = None) -> RelayConfig:
    """The settings' relay as the SMTP adapter wants it.

    Raises:
        InvalidSettings: unless the user has a password or an access token, and one of them alone.
    """
    relay = settings.relay
    if access_token and (relay.username is None or relay.password is not None):
        raise InvalidSettings(["smtp_url: with an access_token it names a user and no password"])
    if relay.username is not None and relay.password is None and access_token is None:
        raise InvalidSettings(["smtp_url: names a user without a password, and there is no access_token"])
    return RelayConfig(
        host=relay.host,
        port=relay.port,
        tls=TlsMode(relay.security),
        username=relay.username,
        password=relay.password,
        access_token=access_token,
        ca_file=None if settings.smtp_ca_file is None else Path(settings.smtp_ca_file),
        local_hostname=settings.smtp_local_hostname,
        pool=PoolLimits(connections=settings.connections),
        verdicts=settings.verdict_table,
    )


def make_notifier(
    settings: MailSettings, clock: Clock, logger: logging.Logger, access_token: AccessToken | None = None
) -> AdminNotifier:
    """Mail to the administrators where some are named, else lines in the log where those are asked for, else nothing."""
    if not settings.admins:
        return LoggingAdminNotifier(logger) if settings.log_notices else NoopAdminNotifier(logger)
    return SmtpAdminNotifier(
        relay_config(settings, access_token),
        sender=settings.sender_mailbox,
        admins=tuple(EmailAddress.parse(admin, "admins") for admin in settings.admins),
        clock=clock,
    )


def make_sender(
    settings: MailSettings, logger: logging.Logger, access_token: AccessToken | None = None
) -> PooledSmtpSender:
    """The pooled sender; says aloud when it will speak in clear."""
    config = relay_config(settings, access_token)
    if config.tls is TlsMode.NONE:
        logger.warning("mail to %s:%d travels in clear: no TLS is used", config.host, config.port)
    return PooledSmtpSender(config)


def make_probe(settings: MailSettings, access_token: AccessToken | None = None) -> SmtpRelayProbe:
    """A look at the relay that workers would use."""
    return SmtpRelayProbe(relay_config(settings, access_token))


def embedded_postgres(folder: Path) -> EmbeddedPostgres:
    """A PostgreSQL server of our own with its data in ``folder``, for those who have none; not started yet."""
    return EmbeddedPostgres(folder)


def worker_name() -> str:
    """How a worker of this process is called in the tables: host and process id."""
    return f"{platform.node()}:{os.getpid()}"


class MailContainer(containers.DeclarativeContainer):
    """Every part of galaxy_mail, ready to be embedded; ``settings`` is needed, ``pool`` only by the Postgres store.

    ``access_token`` is a callable of the host's, for a relay that wants OAuth 2.0 instead of a password.
    """

    settings = providers.Dependency(instance_of=MailSettings)
    pool: providers.Dependency[Pool] = providers.Dependency()
    access_token: providers.Object[AccessToken | None] = providers.Object(None)

    logger = providers.Singleton(logging.getLogger, "galaxy_mail")
    clock = providers.Singleton(SystemClock)
    entropy = providers.Singleton(SystemEntropy)

    store = providers.Singleton(PostgresStore, pool, settings.provided.schema)
    outages = store.provided.outages.call()
    sender = providers.Singleton(make_sender, settings, logger, access_token)
    notifier = providers.Singleton(make_notifier, settings, clock, logger, access_token)
    renderer = providers.Singleton(JinjaTemplateRenderer, settings.provided.template_dirs)

    composer = providers.Singleton(Composer, renderer, settings.provided.runtime)
    service = providers.Singleton(
        MailService,
        store=store,
        composer=composer,
        clock=clock,
        entropy=entropy,
        sender=settings.provided.sender_mailbox,
        config=settings.provided.runtime,
    )
    worker = providers.Factory(
        Worker,
        name=providers.Callable(worker_name),
        store=store,
        delivery_pass=providers.Factory(
            DeliveryPass,
            composer=composer,
            sender=sender,
            clock=clock,
            entropy=entropy,
            breakers=providers.Factory(
                Breakers,
                outages=outages,
                clock=clock,
                entropy=entropy,
                config=settings.provided.runtime,
                logger=logger,
            ),
            config=settings.provided.runtime,
            logger=logger,
        ),
        settler=providers.Factory(
            Settler, queue=store, clock=clock, config=settings.provided.runtime, logger=logger
        ),
        herald=providers.Factory(
            Herald,
            queue=store,
            notifier=notifier,
            clock=clock,
            config=settings.provided.runtime,
            logger=logger,
        ),
        clock=clock,
        config=settings.provided.runtime,
        logger=logger,
    )

    diagnostics = providers.Singleton(PostgresDiagnostics, pool, settings.provided.schema)
    relay_probe = providers.Factory(make_probe, settings, access_token)
    doctor = providers.Factory(
        Doctor,
        diagnostics=diagnostics,
        queue=store,
        relay=relay_probe,
        clock=clock,
        config=settings.provided.runtime,
    )

    # For prometheus_client: registry.register(container.depth_collector()), inside the event loop; needs the extra.
    depth_collector = providers.Factory(OutboxDepthCollector, service.provided.stats, logger=logger)

    migrate = providers.Callable(migrate, pool, settings.provided.schema)
    check_schema = providers.Callable(check, pool, settings.provided.schema)


def check_wiring(container: MailContainer | providers.Container[MailContainer]) -> None:
    """Resolve everything once, before anything runs.

    Raises:
        MissingWiring: naming every dependency that was not provided, and how to provide it.
        InvalidSettings: if the settings are there and wrong.
    """
    missing: dict[str, None] = {}
    for part in _PARTS:
        try:
            if getattr(container, part)() is None:
                missing[f"{part} (its provider gives None)"] = None
        except InjectionError as error:
            missing[_explained(str(error))] = None
    if missing:
        raise MissingWiring(tuple(missing))


_PARTS = ("store", "sender", "notifier", "renderer", "clock", "entropy", "logger", "service", "worker")
_REMEDIES = {
    "settings": "give settings=MailSettings(...)",
    "pool": "give pool=, an asyncpg pool, or override store",
}


def _explained(problem: str) -> str:
    undefined = re.search(r'"(?:[^"]*\.)?(\w+)" is not defined', problem)
    if undefined is None:
        return problem
    name = undefined[1]
    return f"{name} ({_REMEDIES[name]})" if name in _REMEDIES else name
