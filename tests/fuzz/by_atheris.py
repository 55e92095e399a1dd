"""``python -m tests.fuzz.by_atheris TARGET [options of libFuzzer]``: the same targets under atheris, where that is installed.

It is no dependency of ours: there are wheels for some platforms and Pythons only. ``-max_total_time=60`` ends it.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["galaxy_mail"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target.run)
    atheris.Fuzz()
