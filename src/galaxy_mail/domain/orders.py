"""What a producer may order: every argument checked before anything is written.

Pure functions from what a caller passes to domain values. Each raises ``InvalidInput`` (or a subclass) that names the field
and never repeats the value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

import attrs

from galaxy_mail.domain.addresses import (
    EmailAddress,
    Mailbox,
    Recipient,
    RecipientKind,
    parse_display_name,
)
from galaxy_mail.domain.errors import InvalidInput
from galaxy_mail.domain.mail import Lane, Mail, NewDelivery
from galaxy_mail.domain.text import forbidden_character

MAX_RECIPIENTS = 1000
MAX_CONTEXT_OCTETS = 1024 * 1024
MAX_CONTEXT_DEPTH = 32
MAX_KEY_LENGTH = 255
MAX_CODE_LENGTH = 64
FAR = timedelta(days=366)
AGES = timedelta(days=36_525)

People = str | Mailbox | Iterable[str | Mailbox]
OnUncertain: TypeAlias = Literal["retry", "hold"]


def recipients(
    *, to: People = (), cc: People = (), bcc: People = (), reply_to: People = ()
) -> tuple[Recipient, ...]:
    """Everyone the mail concerns, in the order to, cc, bcc, reply_to.

    At least one and at most 1,000 of them are in the envelope, and nobody is in it twice.
    """
    named = {
        RecipientKind.TO: to,
        RecipientKind.CC: cc,
        RecipientKind.BCC: bcc,
        RecipientKind.REPLY_TO: reply_to,
    }
    everyone = tuple(
        Recipient(kind, mailbox) for kind, people in named.items() for mailbox in _mailboxes(people, kind)
    )
    delivered = [recipient for recipient in everyone if recipient.kind.in_envelope]
    if not delivered:
        raise InvalidInput("to", "the mail has no recipient: give at least one of to, cc, bcc")
    if len(everyone) > MAX_RECIPIENTS:
        raise InvalidInput("to", f"the mail has more than {MAX_RECIPIENTS} recipients")
    seen = set()
    for recipient in delivered:
        if recipient.address in seen:
            raise InvalidInput(recipient.kind, "names an address that is already a recipient")
        seen.add(recipient.address)
    return everyone


def mailbox(value: object, field: str) -> Mailbox:
    """A mailbox from text; one that is a ``Mailbox`` already is checked all the same, since anybody can make one."""
    if isinstance(value, Mailbox):
        name = parse_display_name(value.name, field)
        return Mailbox(EmailAddress.parse(str(value.address), field), name)
    return Mailbox.parse(value, field)


def _mailboxes(people: object, field: str) -> Iterator[Mailbox]:
    if isinstance(people, str | Mailbox):
        people = (people,)
    if not isinstance(people, Iterable) or isinstance(people, bytes | Mapping):
        raise InvalidInput(field, "must be an address or a sequence of addresses")
    return (mailbox(value, field) for value in people)


def json_object(value: object, field: str) -> dict[str, object]:
    """The value as it will be after its way through JSON, which it takes once, here.

    Refuses NaN and infinities, NUL and lone surrogates, keys that are not text, what JSON cannot hold, more than 32 levels
    and more than 1 MiB.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(field, "must be a mapping")
    _check_tree(value, field, MAX_CONTEXT_DEPTH)
    try:
        text = json.dumps(dict(value), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise InvalidInput(
            field, "holds a value that JSON cannot (a number that is not finite, or another type)"
        ) from None
    if len(text.encode()) > MAX_CONTEXT_OCTETS:
        raise InvalidInput(field, f"is larger than {MAX_CONTEXT_OCTETS} octets as JSON")
    taken: dict[str, object] = json.loads(text)
    return taken


def _check_tree(value: object, field: str, levels: int) -> None:
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidInput(field, "holds text with NUL or a lone surrogate")
    elif isinstance(value, Mapping | list | tuple):
        if not levels:
            raise InvalidInput(field, f"is nested deeper than {MAX_CONTEXT_DEPTH} levels")
        if isinstance(value, Mapping) and not all(isinstance(key, str) for key in value):
            raise InvalidInput(field, "has a key that is not text")
        children = (*value.keys(), *value.values()) if isinstance(value, Mapping) else value
        for child in children:
            _check_tree(child, field, levels - 1)


def code(value: object) -> str:
    """A login code: 1 to 64 characters of one clean line, without white space around it."""
    if (
        not isinstance(value, str)
        or not value.strip()
        or value != value.strip()
        or len(value) > MAX_CODE_LENGTH
    ):
        raise InvalidInput(
            "code", f"must be text of 1 to {MAX_CODE_LENGTH} characters, without white space around it"
        )
    if problem := forbidden_character(value):
        raise InvalidInput("code", f"has {problem}")
    return value


def idempotency_key(value: object) -> str | None:
    """A key of 1 to 255 characters of one clean line, or None."""
    return None if value is None else one_line(value, "idempotency_key")


def one_line(value: object, field: str) -> str:
    """Text of 1 to 255 characters in one clean line."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_KEY_LENGTH or forbidden_character(value):
        raise InvalidInput(field, f"must be one line of 1 to {MAX_KEY_LENGTH} plain characters")
    return value


def lane(value: int) -> Lane:
    """One of the lanes, as such or as its number."""
    try:
        return Lane(value)
    except ValueError:
        raise InvalidInput("lane", "must be one of Lane.URGENT, Lane.NORMAL, Lane.BULK") from None


def hold_uncertain(value: object) -> bool:
    """Whether a mail of which nobody knows if the server has it waits for a person, instead of being tried again."""
    if value not in ("retry", "hold"):
        raise InvalidInput("on_uncertain", 'must be "retry" or "hold"')
    return value == "hold"


def ttl(value: object) -> timedelta | None:
    """A validity of more than nothing and at most a year, or None for no end."""
    if value is None:
        return None
    if not isinstance(value, timedelta) or not timedelta(0) < value <= FAR:
        raise InvalidInput("ttl", "must be a timedelta of more than 0 and at most 366 days")
    return value


def send_at(value: object, validity: timedelta | None, now: datetime) -> datetime | None:
    """The earliest time of sending: aware, at most a year ahead, before the validity ends; the past means at once."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidInput("send_at", "must be a datetime with a time zone")
    if value > now + FAR:
        raise InvalidInput("send_at", "is more than 366 days ahead")
    if validity is not None and value >= now + validity:
        raise InvalidInput("ttl", "ends before send_at: the mail could never be sent")
    return max(value, now - FAR)  # the first of all years has hours that UTC, and so PostgreSQL, cannot tell


@attrs.frozen(kw_only=True)
class Letter:
    """One mail of a bulk order: who gets it, and what its template sees. Not yet checked."""

    to: People = ()
    cc: People = ()
    bcc: People = ()
    reply_to: People = ()
    context: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    secrets: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    idempotency_key: str | None = None


def letters(value: object) -> Iterator[Letter]:
    """The letters of a bulk order, one after the other."""
    if not isinstance(value, Iterable):
        raise InvalidInput("letters", "must be a sequence of Letter")
    for letter in value:
        if not isinstance(letter, Letter):
            raise InvalidInput("letters", "holds something that is no Letter")
        yield letter


@attrs.frozen(kw_only=True)
class Order:
    """A checked order, not yet a delivery: it has no id."""

    template: str
    recipients: tuple[Recipient, ...] = ()
    context: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    secrets: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    sender: Mailbox | None = None
    idempotency_key: str | None = None
    ttl: timedelta | None = None
    send_at: datetime | None = None
    lane: Lane = Lane.NORMAL
    hold_uncertain: bool = False

    def delivery(self, delivery_id: UUID, default_sender: Mailbox) -> NewDelivery:
        """The delivery it becomes under ``delivery_id``, which also makes its Message-ID, in the sender's domain.

        The digests say what makes two orders the same mail: template, people and context; not when or how urgently it goes,
        nor what is done where it is uncertain. Those are how the first order wants it sent, and the first order stands.
        """
        sender = self.sender or default_sender
        people = [(recipient.kind, str(recipient.mailbox)) for recipient in self.recipients]
        return NewDelivery(
            delivery_id,
            Mail(
                message_id=f"{delivery_id}@{sender.address.domain}",
                template=self.template,
                sender=sender,
                recipients=self.recipients,
                context=self.context,
                secrets=self.secrets,
            ),
            lane=self.lane,
            ttl=self.ttl,
            send_at=self.send_at,
            hold_uncertain=self.hold_uncertain,
            idempotency_key=self.idempotency_key,
            content_digest=_digest(self.template, str(sender), people, self.context),
            secret_digest=None if self.secrets is None else _digest(self.secrets),
        )


def addressed(common: Order, letter: Letter) -> Order:
    """The order that ``common`` is for this letter, whose every part is checked here."""
    return attrs.evolve(
        common,
        recipients=recipients(to=letter.to, cc=letter.cc, bcc=letter.bcc, reply_to=letter.reply_to),
        context=json_object(letter.context, "context"),
        secrets=json_object(letter.secrets, "secrets") or None,
        idempotency_key=idempotency_key(letter.idempotency_key),
    )


def _digest(*parts: object) -> bytes:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
