"""What became of a transaction, recipient by recipient, and in one word."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.delivery import AttemptOutcome
from galaxy_mail.domain.redaction import REDACTED, redacted
from galaxy_mail.domain.text import escaped
from galaxy_mail.domain.verdict_table import classify
from galaxy_mail.domain.verdicts import MAX_DETAIL_OCTETS, Envelope, Fault, Receipt, SmtpReply, Stage, Verdict
from tests.domain.claims import ACCEPT, DEFER, REFUSE, verdicts

AMBIGUOUS = classify(Stage.DOT, Fault.TIMEOUT)
ENVELOPE = Envelope(
    EmailAddress.parse("no-reply@example.org"),
    (EmailAddress.parse("ada@example.org"), EmailAddress.parse("bob@example.org")),
)


def test_a_uniform_receipt_has_a_verdict_for_each_recipient() -> None:
    """As many as the envelope has, and the server's queue id beside them."""
    receipt = Receipt.uniform(ACCEPT, ENVELOPE, "4Xz5Lk")
    assert receipt == Receipt((ACCEPT, ACCEPT), "4Xz5Lk")
    assert receipt.verdict == ACCEPT


@given(st.lists(verdicts, min_size=1, max_size=5).map(tuple))
def test_the_verdict_on_a_transaction_is_the_most_hopeful(given_: tuple[Verdict, ...]) -> None:
    """Accepted by anyone, else perhaps accepted, else to be tried again, else refused; the first of its kind."""
    verdict = Receipt(given_).verdict
    assert verdict in given_
    assert verdict.accepted == any(v.accepted for v in given_)
    if not verdict.accepted:
        assert verdict.ambiguous == any(v.ambiguous for v in given_)
        assert verdict.final == all(v.final for v in given_)


@pytest.mark.parametrize(
    "given_, expected",
    [
        ([REFUSE, DEFER, AMBIGUOUS, ACCEPT], ACCEPT),
        ([REFUSE, DEFER, AMBIGUOUS], AMBIGUOUS),
        ([REFUSE, DEFER], DEFER),
        ([REFUSE, REFUSE], REFUSE),
    ],
)
def test_the_order_of_hope(given_: list[Verdict], expected: Verdict) -> None:
    """Success, ambiguous, transient, permanent."""
    assert Receipt(tuple(given_)).verdict is expected
    assert Receipt(tuple(reversed(given_))).verdict is expected


@given(verdicts)
def test_a_verdict_is_accepted_or_final_or_open(verdict: Verdict) -> None:
    """Accepted is success; final is all but a transient error."""
    assert verdict.accepted == (verdict.outcome is AttemptOutcome.SUCCESS)
    assert verdict.final == (verdict.outcome is not AttemptOutcome.TRANSIENT_ERROR)


# --- redaction -------------------------------------------------------------------------------------------------------


def saying(text: str) -> Receipt:
    """A receipt whose server said this."""
    return Receipt((classify(Stage.DOT, SmtpReply(554, text)), ACCEPT))


letters = st.one_of(st.text("xyz \n", max_size=60), st.integers(440, 520).map("x".__mul__))


@given(letters, st.text("0123456789", min_size=4, max_size=64), letters)
@example("x" * 503, "493817", "y" * 20)
@example("x" * 508, "493817", "y" * 20)
def test_no_part_of_a_secret_is_left(before: str, secret: str, after: str) -> None:
    """Wherever the server repeats a code, whole or cut off at the end, the receipt holds no digit of it."""
    receipt = redacted(saying(f"{before}{secret}{after}"), {"code": secret})
    assert not set(receipt.verdicts[0].detail) & set("0123456789")


@given(st.text(max_size=600), st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3))
@example("0" * 520, ["0"])
@example("a red light", ["red", "[redacted]", "a"])
@example("\u00e9" * 200, ["\u00e9"])
def test_redacted_details_stay_short_and_free_of_secrets(text: str, secrets: list[str]) -> None:
    """Whatever is secret: between the marks there is none of it, and a detail is never over 512 octets."""
    receipt = saying(text)
    detail = redacted(receipt, {"all": secrets}).verdicts[0].detail
    assert len(detail) <= MAX_DETAIL_OCTETS
    shown = [escaped(secret, MAX_DETAIL_OCTETS) for secret in secrets]
    pieces = detail.split(REDACTED)
    if MAX_DETAIL_OCTETS in (len(detail), len(receipt.verdicts[0].detail)):
        pieces.pop()  # its end, which a mark may be, was cut off
    assert not any(secret in piece for secret in shown for piece in pieces)


def test_secrets_are_taken_out_wherever_they_stand() -> None:
    """Nested values, numbers and the longer of two that overlap."""
    receipt = redacted(
        saying("code 493817 for ab and abc"), {"code": 493817, "more": ["ab", {"x": "abc"}], "no": None}
    )
    assert receipt.verdicts[0].detail == f"code {REDACTED} for {REDACTED} and {REDACTED}"


@pytest.mark.parametrize("secrets", [None, {}, {"a": None, "b": "", "c": [True, False]}])
def test_without_secrets_a_receipt_stays_as_it_is(secrets: dict[str, object] | None) -> None:
    """Nothing to take out: the very same receipt."""
    receipt = saying("no")
    assert redacted(receipt, secrets) is receipt


@pytest.mark.parametrize("number", [0, 1, 0.0, 1.0])
def test_a_number_is_no_yes_or_no(number: float) -> None:
    """Python calls 1 and True equal, and 0 and False; one is a code, the other says nothing."""
    assert redacted(saying(f"code {number}."), {"code": number}).verdicts[0].detail == f"code {REDACTED}."


@given(st.text("ab\\", max_size=5), st.text("01\\", min_size=1, max_size=6), st.text("ab\\", max_size=5))
def test_a_queue_id_with_a_secret_in_it_is_none(before: str, secret: str, after: str) -> None:
    """A server that names its copy by a code, or by a part of one, has named it in vain."""
    for remote_id, secrets in ((before + secret + after, secret), (secret, before + secret + after)):
        receipt = attrs.evolve(saying("ok"), remote_id=remote_id)
        assert redacted(receipt, {"code": [secrets]}).remote_id is None


def test_redaction_touches_nothing_else() -> None:
    """Outcome, codes and a queue id without a secret stay."""
    receipt = attrs.evolve(saying("5.7.1 code 493817"), remote_id="4Xz5Lk")
    clean = redacted(receipt, {"code": "493817"})
    assert clean.remote_id == "4Xz5Lk"
    assert [attrs.evolve(v, detail="") for v in clean.verdicts] == [
        attrs.evolve(v, detail="") for v in receipt.verdicts
    ]
