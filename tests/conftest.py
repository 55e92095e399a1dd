"""What every test stands on: Hypothesis profiles and (below) one real PostgreSQL a session."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from galaxy_mail.adapters.embedded_postgres import temporary_postgres

# Deadlines are off: timings live in a bench, and this machine may be shared. `ci` draws the same examples each time, so
# that a red build is somebody's change; `nightly` goes looking: HYPOTHESIS_PROFILE=nightly make unit.
settings.register_profile("dev", deadline=None, max_examples=60)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=100,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", deadline=None, max_examples=3_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """The address of a real PostgreSQL: one embedded server a test session, or the one of GALAXY_MAIL_TEST_DSN."""
    if dsn := os.environ.get("GALAXY_MAIL_TEST_DSN"):
        yield dsn
        return
    with temporary_postgres() as server:
        yield server.dsn


@pytest.fixture
def schema_name() -> str:
    """A schema name that no other test has; who migrates it drops it too, if it should not outlive the session."""
    return f"t_{uuid.uuid4().hex[:16]}"
