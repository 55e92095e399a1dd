"""The AdminNotifier for deployments whose log is watched."""

from __future__ import annotations

import json
import logging

from galaxy_mail.domain.delivery import DeliveryStatus
from galaxy_mail.domain.notices import AnyNotice, Notice, OutageNotice
from galaxy_mail.domain.text import escaped

MAX_LINE = 500


class LoggingAdminNotifier:
    """Writes one line a notice: ERROR for a dead letter and for the beginning of an outage, WARNING for its end and for a mail
    sent while some recipients were refused.

    The line ends in a JSON object of the notice's fields, ASCII throughout: nothing in a notice can begin a second line,
    move a terminal's cursor or reorder what is read. Formatters that want the fields find them as ``record.notice``.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("galaxy_mail.notices")

    async def notify(self, notice: AnyNotice) -> None:
        """Log the notice; never raises."""
        if isinstance(notice, OutageNotice):
            bad, what, fields = (
                notice.closed_at is None,
                escaped(notice.headline, MAX_LINE),
                _outage_fields(notice),
            )
        else:
            bad, fields = notice.status is DeliveryStatus.DEAD_LETTERED, _fields(notice)
            what = "mail dead-lettered" if bad else "mail sent, recipients refused"
        level = logging.ERROR if bad else logging.WARNING
        self._logger.log(level, "%s %s", what, json.dumps(fields), extra={"notice": fields})


def _outage_fields(notice: OutageNotice) -> dict[str, object]:
    return {
        "outage_id": str(notice.outage_id),
        "scope": notice.scope,
        "opened_at": notice.opened_at.isoformat(),
        "closed_at": notice.closed_at and notice.closed_at.isoformat(),
        "blame": str(notice.blame),
        "stage": str(notice.stage),
        "said": notice.said,
        "detail": notice.detail,
    }


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
