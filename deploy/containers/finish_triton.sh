#!/bin/sh
# Run as the last step of each Triton image: the user, the folders, our code compiled, and whether what was put together works.
set -eu
groupadd --gid 10001 hps
useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin hps
# A named volume takes the owner of the folder that it is mounted on.
install -d -o 10001 -g 10001 /var/lib/paddleocr-vl /var/lib/paddleocr-vl/images
# Where the models are looked for when no folder is named: models/NAME.
ln -s /models /app/models
export PADDLE_PDX_CACHE_HOME=/tmp/paddlex PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK=True ORT_DISABLE_TELEMETRY=1
/opt/venv/bin/python -m compileall -q /app/triton_models
# The interpreter's own libraries, and everything that the models import.
/opt/venv/bin/python -c 'import bz2, ctypes, lzma, multiprocessing.synchronize, ssl, zlib'
cd /app/triton_models
/opt/venv/bin/python -c 'import cv2, numpy, onnxruntime, orjson, paddlex, pypdfium2; import docparse.pipeline, docparse.paddlex_forms'
rm -rf /tmp/paddlex
