#!/bin/sh
# Makes .venv: exactly the packages of requirements/dev.lock (hashes checked), then this project, editable.
# Does nothing when .venv already stands for this lock, this pyproject.toml, this folder and this Python.
#
#   PYTHON=/path/to/python3.12 tools/setup.sh    picks the interpreter; otherwise the first fit one of the names below.
set -eu
cd "$(dirname "$0")/.."
lock=requirements/dev.lock

say() { printf '%s\n' "$*" >&2; }

is_fit() { "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

has_ensurepip() { "$1" -c 'import ensurepip' >/dev/null 2>&1; }

find_python() {
    names=${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}
    for name in $names; do
        if is_fit "$name" && has_ensurepip "$name"; then echo "$name"; return; fi
    done
    for name in $names; do
        if is_fit "$name"; then
            say "galaxy_mail: $name can not make a virtual environment with pip in it (it lacks the module ensurepip)."
            say "On Debian and Ubuntu: apt-get install python3-venv. Or name another: make setup PYTHON=/path/to/python3.12"
            exit 1
        fi
    done
    say "galaxy_mail needs Python 3.11 or newer, and none of these is: $names."
    say "Install one, or name it: make setup PYTHON=/path/to/python3.12"
    exit 1
}

# One short text that changes when the environment must: .venv/.made-from keeps the one it was made from.
print_of() { cat "$@" | cksum; }

install() { .venv/bin/python -m pip --disable-pip-version-check --no-input install --quiet --root-user-action=ignore "$@"; }

python=$(find_python)
wanted="$(print_of "$lock") $("$python" -c 'import sys; print(sys.version, sys.base_prefix)') in $(pwd)"
project=$(print_of pyproject.toml)

if [ "$(cat .venv/.made-from 2>/dev/null)" != "$wanted" ]; then
    say "Making .venv with $("$python" --version) …"
    rm -rf .venv
    "$python" -m venv .venv
    install --require-hashes --requirement "$lock"
    printf '%s\n' "$wanted" >.venv/.made-from
fi
if [ "$(cat .venv/.installed-from 2>/dev/null)" != "$project" ]; then
    install --no-deps --no-build-isolation --editable .
    printf '%s\n' "$project" >.venv/.installed-from
fi
