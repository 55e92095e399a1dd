"""On what it was measured."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from bench.sinks import find


def described(postgres: str) -> dict[str, str]:
    """The machine and the versions, by name."""
    return {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{postgres}, fsync and synchronous_commit on",
        "sink": "Postfix's smtp-sink" if find("smtp-sink") else "bench/sink.py, in its own process",
        "client of wire_limit": "Postfix's smtp-source"
        if find("smtp-source")
        else "bench/source.py, in its own process",
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine()
    )
