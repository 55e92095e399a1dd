#!/bin/sh
# Makes .venv: exactly the packages of a lock (hashes checked), then this project, editable.
#
#   tools/setup.sh run    what galaxy_mail needs to run, with its extras (requirements/run.lock)
#   tools/setup.sh dev    and what its tests and checks need (requirements/dev.lock)
#   tools/setup.sh bench  makes .venv-bench instead, with the peers that `make bench` measures (requirements/bench.lock)
#
# PYTHON=/path/to/python3.12 picks the interpreter; otherwise the first fit one of the names below makes the venv, which then
# stays as long as it stands for these locks, this pyproject.toml and this folder.
set -eu
cd "$(dirname "$0")/.."
level=${1:-dev}
case $level in
    bench) venv=.venv-bench first=bench locks=requirements/bench.lock ;;
    *) venv=.venv first=run locks="requirements/dev.lock requirements/run.lock" ;;
esac

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
            say "galaxy_mail: $name cannot make a virtual environment with pip in it (it lacks the module ensurepip)."
            say "On Debian and Ubuntu: apt-get install python3-venv. Or name another: make setup PYTHON=/path/to/python3.12"
            exit 1
        fi
    done
    say "galaxy_mail needs Python 3.11 or newer, and none of these is: $names."
    say "Install one, or name it: make setup PYTHON=/path/to/python3.12"
    exit 1
}

install() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input install -qq --root-user-action=ignore "$@"; }

# The lock is complete, so there is nothing to resolve.
install_lock() { install --require-hashes --no-deps --no-compile --requirement "requirements/$1.lock"; }

# A step is done when the file that names it keeps the text that it was done for.
is_done() { [ "$(cat "$venv/.$1" 2>/dev/null)" = "$2" ]; }

mark_done() { printf '%s\n' "$2" >"$venv/.$1"; }

identity() { "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null; }

is_wanted_python() { is_fit "$venv/bin/python" && { [ -z "${PYTHON:-}" ] || [ "$(identity "$venv/bin/python")" = "$(identity "$PYTHON")" ]; }; }

# shellcheck disable=SC2086 # a list of files
origin="$(cat $locks | cksum) in $(pwd)"
project=$(cksum <pyproject.toml)

if ! is_done made "$origin" || ! is_wanted_python; then
    python=$(find_python)
    say "Making $venv with $("$python" --version) …"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    install_lock "$first"
    mark_done made "$origin"
fi
if ! is_done project "$project"; then
    install --no-deps --no-build-isolation --no-compile --editable .
    mark_done project "$project"
fi
if [ "$level" = dev ] && ! is_done dev yes; then
    say "Adding what tests and checks need …"
    install_lock dev
    .venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true # on all cores: faster than pip does it
    mark_done dev yes
fi
