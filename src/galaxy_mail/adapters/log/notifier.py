"""The AdminNotifier for deployments whose log is watched."""

from __future__ import annotations

import json
import logging

from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.notices import Notice


class LoggingAdminNotifier:
    """Writes one line a notice: ERROR for a dead letter, WARNING for a mail sent while some recipients were refused.

    The line ends in a JSON object of the notice's fields, ASCII throughout: nothing in a notice can begin a second line,
    move a terminal's cursor or reorder what is read. Formatters that want the fields find them as ``record.notice``.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("galaxy_mail.notices")

    async def notify(self, notice: Notice) -> None:
        """Log the notice; never raises."""
        fields = _fields(notice)
        dead = notice.status is DeliveryStatus.DEAD_LETTERED
        self._logger.log(
            logging.ERROR if dead else logging.WARNING,
            "%s %s",
            "mail dead-lettered" if dead else "mail sent, recipients refused",
            json.dumps(fields),
            extra={"notice": fields},
        )


def _fields(notice: Notice) -> dict[str, object]:
    return {
        "delivery_id": str(notice.delivery_id),
        "status": str(notice.status),
        "reason": str(notice.reason) if notice.reason else None,
        "template": notice.template,
        "attempts": notice.attempts,
        "created_at": notice.created_at.isoformat(),
        "ended_at": notice.ended_at.isoformat(),
        "refused": list(notice.refused),
        "detail": notice.detail,
    }
