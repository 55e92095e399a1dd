"""The values that cross the ports: what they show, and what they must never show."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import attrs
import pytest

from galaxy_mail.domain import notices, operator_ports, ports, records, worker_ports
from galaxy_mail.domain.addresses import Mailbox, Recipient, RecipientKind
from galaxy_mail.domain.delivery import DeadLetterReason, DeliveryStatus
from galaxy_mail.domain.mail import Content, Mail, NewDelivery
from galaxy_mail.domain.notices import Notice
from galaxy_mail.domain.orders import Order

DELIVERY = UUID("018f0000-0000-7000-8000-000000000001")
ADA, BOB = Mailbox.parse("Ada <ada@example.org>"), Mailbox.parse("bob@example.org")
PEOPLE = (
    Recipient(RecipientKind.TO, ADA),
    Recipient(RecipientKind.CC, BOB),
    Recipient(RecipientKind.TO, BOB),
)
MAIL = Mail("id@example.org", "welcome", BOB, PEOPLE, {"name": "493817", "code": "-"}, {"code": "493817"})


@pytest.mark.parametrize(
    "value",
    [
        MAIL,
        NewDelivery(DELIVERY, MAIL, content_digest=b"493817", secret_digest=b"493817"),
        Content("493817", "493817", "<p>493817</p>", "v1"),
        Order(template="welcome", recipients=PEOPLE, context={"a": "493817"}, secrets={"code": "493817"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_repr_shows_no_content(value: object) -> None:
    """What a log line or a traceback prints holds neither context nor secrets nor text (P13)."""
    assert "493817" not in repr(value)
    assert "493817" not in str(value)


def test_a_template_sees_secrets_over_the_context() -> None:
    """Both together; where they share a name, the secret."""
    assert MAIL.variables == {"name": "493817", "code": "493817"}
    assert attrs.evolve(MAIL, secrets=None).variables == {"name": "493817", "code": "-"}


def test_people_are_found_by_their_role() -> None:
    """In the order given."""
    assert MAIL.mailboxes(RecipientKind.TO) == (ADA, BOB)
    assert MAIL.mailboxes(RecipientKind.CC) == (BOB,)
    assert MAIL.mailboxes(RecipientKind.REPLY_TO) == ()


@pytest.mark.parametrize(
    "status, reason, headline",
    [
        (
            DeliveryStatus.DEAD_LETTERED,
            DeadLetterReason.EXHAUSTED,
            "dead-lettered (exhausted) after 12 attempts",
        ),
        (DeliveryStatus.SENT, None, "sent with recipients refused after 12 attempts"),
    ],
)
def test_a_notice_says_in_one_line_what_happened(
    status: DeliveryStatus, reason: DeadLetterReason | None, headline: str
) -> None:
    """Which mail, of which template, how it ended and after how many attempts."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    notice = Notice(DELIVERY, status, reason, "welcome", 12, moment, moment)
    assert notice.headline == f"mail {DELIVERY} (welcome) {headline}"
    assert notice.advice == ""


@pytest.mark.parametrize("module", [records, notices])
def test_what_an_operator_reads_has_no_place_for_content(module: object) -> None:
    """No record and no notice has a field for context, secrets, subject or text (P13)."""
    shown = [cls for cls in vars(module).values() if isinstance(cls, type) and attrs.has(cls)]
    fields = {field.name for cls in shown for field in attrs.fields(cls)}
    assert shown
    assert not fields & {"context", "secrets", "variables", "subject", "text", "html", "body", "content"}


def test_every_port_method_states_its_laws() -> None:
    """A port is docstrings and nothing else: each method of each Protocol has one."""
    protocols = [
        cls
        for module in (ports, worker_ports, operator_ports)
        for cls in vars(module).values()
        if getattr(cls, "_is_protocol", False) and cls.__module__ == module.__name__
    ]
    methods = [
        method
        for port in protocols
        for name, method in vars(port).items()
        if callable(method) and name[0] != "_"
    ]
    assert len(protocols) >= 12
    assert all(method.__doc__ for method in [*protocols, *methods])
