#!/bin/sh
# Makes the environment if it is missing, then runs the benchmark, which makes its data.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv="${VENV:-$here/.venv}"
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
exec "$venv/bin/python" "$here/run.py" "$@"
