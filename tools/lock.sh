#!/bin/sh
# Writes requirements/{dev,run,bench}.lock anew: one version and its hashes for every package that the project, its extras,
# (dev) its developers and (bench) the peers it is measured against need, for Python ≥ 3.11 on every platform. uv resolves, in an environment that is thrown away.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip --disable-pip-version-check install --quiet uv

# resolve NAME OPTION…: no index address gets into the file: it must hold for whichever mirror pip is set up to use.
resolve() {
    name=$1
    shift
    "$scratch/venv/bin/uv" --no-cache pip compile pyproject.toml --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet "$@" --output-file "$scratch/$name.lock"
    {
        echo "# Made by \`make lock\` from pyproject.toml; installed with --require-hashes. Do not edit."
        cat "$scratch/$name.lock"
    } >"requirements/$name.lock"
}

resolve dev --all-extras --group build --group dev
resolve run --extra embedded --extra prometheus --extra uvloop --group build --constraint requirements/dev.lock
resolve bench --all-extras --group build --group bench --constraint requirements/dev.lock
