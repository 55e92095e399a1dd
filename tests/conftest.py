"""What every test stands on: Hypothesis profiles and (below) one real PostgreSQL a session."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

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
