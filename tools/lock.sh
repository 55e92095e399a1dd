#!/bin/sh
# Writes requirements/dev.lock anew: one version and its hashes for every package that the project, its extras and its
# developers need, for Python ≥ 3.11 on every platform. uv resolves, in an environment that is thrown away.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip --disable-pip-version-check install --quiet uv

# --no-emit-index-url and a header of our own: the lock must hold for whichever mirror pip is set up to use.
"$scratch/venv/bin/uv" --no-cache pip compile pyproject.toml --group dev --all-extras \
    --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
    "$@" --output-file "$scratch/dev.lock"
{
    echo "# Made by \`make lock\` from pyproject.toml; installed by \`make setup\` with --require-hashes. Do not edit."
    cat "$scratch/dev.lock"
} >requirements/dev.lock
