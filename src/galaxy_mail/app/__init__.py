"""Use cases, loops, wiring, and the edges that drive us."""

from galaxy_mail.app.config import RuntimeConfig
from galaxy_mail.app.container import MailContainer, check_wiring
from galaxy_mail.app.opening import OpenMail, open_mail
from galaxy_mail.app.service import MailService
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.app.worker import Worker

__all__ = [
    "MailContainer",
    "MailService",
    "MailSettings",
    "OpenMail",
    "RuntimeConfig",
    "Worker",
    "check_wiring",
    "open_mail",
]
