"""docs/reference/errors.md draws the tree of errors as it is."""

from __future__ import annotations

import inspect
import pickle
from uuid import UUID

from galaxy_mail.domain import errors
from galaxy_mail.domain.errors import GalaxyMailError
from tests.docs.pages import ROOT, rows

EXAMPLES: list[GalaxyMailError] = [
    errors.InvalidAddress("to", "needs exactly one @"),
    errors.IdempotencyConflict(UUID(int=1)),
    errors.UnknownDelivery(UUID(int=1)),
    errors.InvalidSettings(["lease: must be a timedelta from 1 s to 1 h"]),
    errors.MissingWiring(["pool"]),
    errors.StoreUnavailable("claim", "57P01", "AdminShutdownError"),
    errors.SchemaOutdated("step 1 is not applied"),
]


def test_the_page_draws_the_tree() -> None:
    """Every class stands on the page, under its parent, and no other does."""
    tree = {
        name: kind.__base__.__name__ if kind.__base__ and kind is not GalaxyMailError else ""
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, GalaxyMailError)
    }
    told = {
        name.strip("`"): parent.strip("`")
        for name, parent, *_ in rows(ROOT / "docs/reference/errors.md", "The tree")
    }
    assert told == tree


def test_every_error_survives_pickling() -> None:
    """As the page says: an error comes back from another process with its message and its fields."""
    for error in EXAMPLES:
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
