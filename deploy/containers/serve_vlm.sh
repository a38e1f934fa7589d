#!/bin/sh
# serve_vlm.sh ENGINE: start a VLM server in its own image, by the presets of the package `vlm_server` beside this file, which
# needs only Python's standard library. What HPS_VLM_* leave empty is the preset's. --print shows the command.
set -eu
engine=$1
shift
PYTHONPATH=$(cd "$(dirname "$0")" && pwd)${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
python=$(command -v python3 || command -v python)
set -- --engine "$engine" --model "${HPS_MODELS_ROOT:-/models}/$HPS_VLM_WEIGHTS" --host 0.0.0.0 --port 8080 "$@"
[ -z "${HPS_VLM_PRESET:-}" ] || set -- "$@" --preset "$HPS_VLM_PRESET"
[ -z "${HPS_VLM_BACKEND_CONFIG:-}" ] || set -- "$@" --backend_config "$HPS_VLM_BACKEND_CONFIG"
[ -z "${HPS_VLM_PADDLEX_CLIENTS:-}" ] || set -- "$@" --paddlex-clients
# shellcheck disable=SC2086  # several words, on purpose
exec "$python" -m vlm_server "$@" ${HPS_VLM_EXTRA_ARGS:+-- $HPS_VLM_EXTRA_ARGS}
