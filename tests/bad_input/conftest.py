"""The house of the tests of ``app``: everything in memory."""

from tests.app.conftest import house

__all__ = ["house"]
