"""What a claim knows of itself."""

from __future__ import annotations

import attrs
from hypothesis import given

from galaxy_mail.domain.addresses import RecipientKind
from galaxy_mail.domain.leases import Claim, Unreadable
from galaxy_mail.domain.mail import Mail
from tests.domain.claims import ACCEPTED, HELD, OPEN, REFUSED, claim, claims


@given(claims())
def test_open_positions_are_those_that_wait(held: Claim) -> None:
    """In order, each open recipient and no other; a reply_to is never one."""
    expected = [position for position, state in enumerate(held.recipient_states) if state is OPEN]
    assert list(held.open_positions) == expected


@given(claims())
def test_open_recipients_stand_at_the_open_positions(held: Claim) -> None:
    """The people to be written to, in the order of the positions; nobody for a mail that cannot be read."""
    if isinstance(held.mail, Mail):
        assert held.open_recipients() == tuple(held.mail.recipients[p] for p in held.open_positions)
        assert all(recipient.kind is not RecipientKind.REPLY_TO for recipient in held.open_recipients())
    else:
        assert held.open_recipients() == ()


def test_a_claim_of_a_mail_in_parts() -> None:
    """Accepted and refused recipients are not asked again, and the reply_to never is."""
    held = claim(ACCEPTED, OPEN, None, REFUSED, OPEN)
    assert held.open_positions == (1, 4)
    assert [str(recipient.address) for recipient in held.open_recipients()] == [
        "p1@example.org",
        "p4@example.org",
    ]


def test_an_unreadable_mail_keeps_its_recipients_open() -> None:
    """They are known from their own rows, so that they can be closed."""
    held = attrs.evolve(claim(OPEN, OPEN), mail=Unreadable("not JSON"))
    assert held.open_positions == (0, 1)
    assert held.open_recipients() == ()


def test_who_was_abandoned_before_is_suspect() -> None:
    """One abandoned claim is enough to be worked on alone."""
    assert not claim(OPEN).suspect
    assert attrs.evolve(claim(OPEN), abandoned=1).suspect


def test_a_first_claim_has_nothing_behind_it() -> None:
    """Nothing burned, nothing deferred, nothing abandoned, unless the store says so."""
    first = claim(OPEN)
    assert (first.attempts, first.deferrals, first.abandoned) == (0, 0, 0)


def test_a_claim_is_identified_by_delivery_and_token() -> None:
    """The proof of a claim compares by both, and is all that settle, renew and release get."""
    assert claim(OPEN).held == HELD
    assert attrs.evolve(HELD, token=HELD.delivery_id) != HELD
