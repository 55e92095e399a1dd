"""One tree of errors: whose fault it is shows in the class, and every error survives a journey between processes."""

from __future__ import annotations

import copy
import inspect
import pickle
from uuid import UUID

import pytest

from galaxy_mail.domain import errors
from galaxy_mail.domain.errors import (
    CallerError,
    ConfigurationError,
    EmbeddedServerError,
    GalaxyMailError,
    IdempotencyConflict,
    IllegalTransition,
    InfrastructureError,
    InvalidAddress,
    InvalidInput,
    InvalidMessage,
    InvalidSettings,
    MissingExtra,
    MissingWiring,
    ResendRefused,
    SchemaOutdated,
    StoreUnavailable,
    TemplateInvalid,
    TemplateNotFound,
    UnknownDelivery,
    UnusableTransaction,
)

DELIVERY = UUID("018f0000-0000-7000-8000-000000000001")

SAMPLES: list[tuple[GalaxyMailError, str]] = [
    (GalaxyMailError("hm"), "hm"),
    (CallerError("hm"), "hm"),
    (InvalidInput("to", "is wrong"), "to: is wrong"),
    (InvalidAddress("to", "is wrong"), "to: is wrong"),
    (InvalidMessage("subject", "is wrong"), "subject: is wrong"),
    (TemplateNotFound("template", "is unknown"), "template: is unknown"),
    (TemplateInvalid("template", "is broken"), "template: is broken"),
    (
        IdempotencyConflict(DELIVERY),
        f"idempotency_key: already used with other content, by delivery {DELIVERY}",
    ),
    (UnusableTransaction("not open"), "not open"),
    (UnknownDelivery(DELIVERY), f"delivery_id: no delivery {DELIVERY}"),
    (ResendRefused("it is sent"), "it is sent"),
    (IllegalTransition("no"), "no"),
    (ConfigurationError("hm"), "hm"),
    (
        InvalidSettings(["dsn: is missing", "ttl: is 0"]),
        "invalid settings:\n  - dsn: is missing\n  - ttl: is 0",
    ),
    (MissingWiring(["store", "clock"]), "missing wiring: store; clock"),
    (SchemaOutdated("run migrate"), "run migrate"),
    (MissingExtra("install [embedded]"), "install [embedded]"),
    (EmbeddedServerError("no initdb"), "no initdb"),
    (InfrastructureError("hm"), "hm"),
    (StoreUnavailable("claim"), "the store failed in claim"),
    (StoreUnavailable("claim", "57P01"), "the store failed in claim (sqlstate 57P01)"),
    (StoreUnavailable("claim", kind="OSError"), "the store failed in claim (OSError)"),
    (StoreUnavailable("claim", "40001", "x"), "the store failed in claim (x, sqlstate 40001)"),
]


@pytest.mark.parametrize("error, text", SAMPLES, ids=lambda value: type(value).__name__)
def test_an_error_says_what_is_wrong(error: GalaxyMailError, text: str) -> None:
    """Its text names the field or the operation."""
    assert str(error) == text


@pytest.mark.parametrize("error", [error for error, _ in SAMPLES], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "journey", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy]
)
def test_an_error_survives_a_journey(error: GalaxyMailError, journey: object) -> None:
    """Pickled or copied, it is of the same class, with the same text and the same fields."""
    assert callable(journey)
    arrived = journey(error)
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_every_class_has_a_sample() -> None:
    """No class of the tree is left out above."""
    classes = {cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)}
    assert classes == {type(error) for error, _ in SAMPLES}


@pytest.mark.parametrize("error", [error for error, _ in SAMPLES], ids=lambda error: type(error).__name__)
def test_an_error_is_one_parties_fault(error: GalaxyMailError) -> None:
    """Each is a GalaxyMailError; each but the root and a broken invariant blames caller, deployment or world, only one."""
    blamed = [isinstance(error, cls) for cls in (CallerError, ConfigurationError, InfrastructureError)]
    assert isinstance(error, GalaxyMailError)
    assert sum(blamed) == (type(error) not in (GalaxyMailError, IllegalTransition))


@pytest.mark.parametrize(
    "sqlstate, refused",
    [("22P02", True), ("23505", True), ("57P01", False), ("40001", False), ("2", False), (None, False)],
)
def test_refused_data_is_told_from_a_failing_store(sqlstate: str | None, refused: bool) -> None:
    """SQLSTATE classes 22 and 23 blame the data: trying the same again is of no use."""
    assert StoreUnavailable("settle", sqlstate).data_refused is refused


def test_lists_are_kept_as_they_were_given() -> None:
    """All problems and all holes are there, in order, and cannot be changed."""
    assert InvalidSettings(iter_problems := ["a: x", "b: y"]).problems == tuple(iter_problems)
    assert MissingWiring(["store"]).missing == ("store",)
