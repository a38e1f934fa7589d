#!/bin/sh
# install_packages.sh LOCK...: a virtual environment in /opt/venv with the packages of these lock files, for the images.
# Every package comes by version and hash, so pip resolves nothing. PIP_INDEX_URL may name another index.
set -eu
locks=
for lock in "$@"; do locks="$locks -r $lock"; done
python3.11 -m venv /opt/venv
pip="/opt/venv/bin/python -m pip --disable-pip-version-check --no-cache-dir"
# shellcheck disable=SC2086  # words on purpose
$pip install --no-compile --no-deps --require-hashes $locks
if [ -d /opt/venv/lib/python3.11/site-packages/opencv_contrib_python.libs ]; then
  # The same modules once more, without libGL: see that file.
  $pip install --no-compile --no-deps --require-hashes -r "$(dirname "$0")/opencv-headless.txt"
  rm -r /opt/venv/lib/python3.11/site-packages/opencv_contrib_python.libs
fi
$pip uninstall --yes --quiet pip setuptools
# Compiled now: the root file system will be read-only.
/opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib || true  # some packages carry files that are no Python 3.11
