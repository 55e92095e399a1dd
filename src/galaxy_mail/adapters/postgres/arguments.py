"""From domain values to the arguments of statements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from galaxy_mail.domain.leases import ClaimRequest, ClaimToken, Held
from galaxy_mail.domain.mail import NewDelivery
from galaxy_mail.domain.settlement import Settlement


def enqueue_arguments(delivery: NewDelivery) -> tuple[object, ...]:
    """The arguments of ``enqueue.sql``."""
    people = delivery.mail.recipients
    return (
        *_delivery_row(delivery),
        [recipient.kind for recipient in people],
        [str(recipient.address) for recipient in people],
        [recipient.mailbox.name for recipient in people],
    )


def enqueue_columns(deliveries: Sequence[NewDelivery]) -> list[Sequence[Any]]:
    """The arguments of ``enqueue_many.sql``: fourteen columns of deliveries, then five of recipients."""
    people = (
        (delivery.delivery_id, position, recipient.kind, str(recipient.address), recipient.mailbox.name)
        for delivery in deliveries
        for position, recipient in enumerate(delivery.mail.recipients)
    )
    return _columns(map(_delivery_row, deliveries), width=14) + _columns(people, width=5)


def _delivery_row(delivery: NewDelivery) -> tuple[object, ...]:
    mail = delivery.mail
    return (
        delivery.delivery_id,
        delivery.lane,
        mail.template,
        mail.message_id,
        delivery.send_at,
        delivery.ttl,
        delivery.idempotency_key,
        str(mail.sender.address),
        mail.sender.name,
        _json(mail.context),
        _json(mail.secrets),
        delivery.content_digest,
        delivery.secret_digest,
        delivery.hold_uncertain,
    )


def _json(value: Mapping[str, object] | None) -> str | None:
    # Passed as text: a codec that the host set on its pool for json would encode it twice.
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def settlement_columns(settlements: Sequence[Settlement]) -> list[Sequence[Any]]:
    """The arguments of ``settle.sql``: nineteen columns of settlements, then six of recipient marks."""
    marks = (
        (
            *_held_row(s.held),
            m.position,
            m.state,
            m.verdict and m.verdict.code,
            m.verdict and m.verdict.detail,
        )
        for s in settlements
        for m in s.marks
    )
    return _columns(map(_settlement_row, settlements), width=19) + _columns(marks, width=6)


def claim_arguments(request: ClaimRequest) -> tuple[object, ...]:
    """The arguments of ``claim.sql``."""
    limits = (request.suspects_together, request.kept_behind)
    others = (request.sign, request.overdue_after)
    return request.limit, request.lease, request.abandoned_limit, request.worker, *limits, *others


def held_columns(claims: Sequence[Held]) -> list[Sequence[Any]]:
    """Ids and tokens, as ``renew.sql`` and ``release.sql`` want them."""
    return _columns(map(_held_row, claims), width=2)


def key_columns(deliveries: Sequence[NewDelivery]) -> list[Sequence[Any]]:
    """The arguments of ``find_key.sql``."""
    return _columns(((d.idempotency_key, d.content_digest, d.secret_digest) for d in deliveries), width=3)


def _held_row(held: Held) -> tuple[UUID, ClaimToken]:
    return held.delivery_id, held.token


def _settlement_row(s: Settlement) -> tuple[Any, ...]:
    common = (*_held_row(s.held), s.status, s.retry_in, s.reason, s.tell_admin)
    if s.attempt is None:
        return (
            *common,
            None,
            None,
            None,
            False,
            False,
            None,
            None,
            None,
            "",
            None,
            "",
            timedelta(0),
            s.ended_ago,
        )
    v = s.attempt.receipt.verdict
    return (
        *(
            *common,
            v.outcome,
            v.stage,
            v.blame,
            s.attempt.burned,
            v.ambiguous,
            v.code,
            v.enhanced,
            v.fault,
            v.detail,
        ),
        *(s.attempt.receipt.remote_id, s.attempt.template_version, s.attempt.duration, s.ended_ago),
    )


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * width
