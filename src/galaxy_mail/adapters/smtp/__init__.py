"""The SmtpSender on SMTP, by aiosmtplib. Read ``session`` first: it is the protocol without the wire."""

from galaxy_mail.adapters.smtp.notifier import SmtpAdminNotifier
from galaxy_mail.adapters.smtp.probe import SmtpRelayProbe
from galaxy_mail.adapters.smtp.relay import AccessToken, Patience, PoolLimits, RelayConfig, TlsMode
from galaxy_mail.adapters.smtp.sender import PooledSmtpSender

__all__ = [
    "PooledSmtpSender",
    "RelayConfig",
    "TlsMode",
    "AccessToken",
    "PoolLimits",
    "Patience",
    "SmtpAdminNotifier",
    "SmtpRelayProbe",
]
