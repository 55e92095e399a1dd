"""From rows to domain values: reading is strict, and what cannot be read back says so without showing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import asyncpg

from galaxy_mail.domain.addresses import EmailAddress, Mailbox, Recipient, RecipientKind
from galaxy_mail.domain.delivery import AttemptOutcome, DeadLetterReason, DeliveryStatus, RecipientState
from galaxy_mail.domain.leases import Claim, Held, Unreadable
from galaxy_mail.domain.mail import Lane, Mail
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.records import AttemptRecord, DeliverySummary, RecipientRecord, ResendRecord

Row = asyncpg.Record | Mapping[str, Any]


def claim_from(row: Row) -> Claim:
    """The claim that ``claim.sql`` returned; its mail is ``Unreadable`` if the stored form is broken."""
    try:
        mail: Mail | Unreadable = mail_from(row)
    except (ValueError, TypeError) as error:  # JSONDecodeError is a ValueError
        mail = Unreadable(f"the stored mail cannot be read back ({type(error).__name__})")
    return Claim(
        held=Held(row["delivery_id"], row["claim_token"]),
        number=row["claims"],
        status=DeliveryStatus(row["status"]),
        mail=mail,
        recipient_states=tuple(state and RecipientState(state) for state in row["states"] or ()),
        dated=row["dated_at"],
        age=row["age"],
        expires_in=row["expires_in"],
        lane=Lane(row["lane"]),
        hold_uncertain=row["hold_uncertain"],
        attempts=row["attempts"],
        deferrals=row["deferrals"],
        abandoned=row["abandoned"],
    )


def mail_from(row: Row) -> Mail:
    """The mail of a row that carries payload and recipients.

    Raises:
        ValueError, TypeError: if the stored form is broken.
    """
    people = zip(row["kinds"], row["addresses"], row["names"], strict=True)
    context, secrets = json.loads(row["context"]), row["secrets"] and json.loads(row["secrets"])
    if not isinstance(context, dict) or not isinstance(secrets, dict | None):
        raise TypeError("context and secrets are JSON objects")
    return Mail(
        message_id=row["message_id"],
        template=row["template"],
        sender=_mailbox(row["sender_address"], row["sender_name"]),
        recipients=tuple(
            Recipient(RecipientKind(kind), _mailbox(address, name)) for kind, address, name in people
        ),
        context=context,
        secrets=secrets,
    )


def summary_from(row: Row) -> DeliverySummary:
    """One line of a list."""
    status = DeliveryStatus(row["status"])
    return DeliverySummary(
        delivery_id=row["delivery_id"],
        status=status,
        template=row["template"],
        lane=Lane(row["lane"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        next_attempt_at=None if status.terminal else row["next_attempt_at"],
        expires_at=row["expires_at"],
        finished_at=row["finished_at"],
        reason=row["dead_letter_reason"] and DeadLetterReason(row["dead_letter_reason"]),
        leased=row["leased"],
        claimed_by=row["claimed_by"],
    )


def recipient_record(row: Row) -> RecipientRecord:
    """One recipient as the operator sees it."""
    state = row["state"] and RecipientState(row["state"])
    return RecipientRecord(
        RecipientKind(row["kind"]), row["address"], row["name"], state, row["code"], row["detail"]
    )


def attempt_record(row: Row) -> AttemptRecord:
    """One attempt as the operator sees it."""
    columns = dict(row)
    outcome = AttemptOutcome(columns.pop("outcome"))
    return AttemptRecord(number=columns.pop("attempt_no"), outcome=outcome, **columns)


def resend_record(row: Row) -> ResendRecord:
    """One resend as the operator sees it."""
    return ResendRecord(row["resent_at"], row["resent_by"], row["after_attempt"])


def notice_from(row: Row) -> Notice:
    """What the administrator is told; addresses are masked."""
    return Notice(
        delivery_id=row["delivery_id"],
        status=DeliveryStatus(row["status"]),
        reason=row["dead_letter_reason"] and DeadLetterReason(row["dead_letter_reason"]),
        template=row["template"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        ended_at=row["finished_at"],
        refused=tuple(_address(text).masked for text in row["refused"]),
        detail=row["detail"],
    )


def _address(text: str) -> EmailAddress:
    # Parsed when it was enqueued; the CHECK of time is not paid for again at every claim.
    local, _, domain = text.rpartition("@")
    return EmailAddress(local, domain)


def _mailbox(address: str, name: str) -> Mailbox:
    return Mailbox(_address(address), name)
