"""The houses of the tests of ``app``: everything in memory; and the command line on a database."""

from tests.app.cli.conftest import cli, environ, outbox, ready
from tests.app.conftest import house

__all__ = ["cli", "environ", "house", "outbox", "ready"]
