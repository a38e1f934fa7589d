"""Parses a file with PaddleOCR's own pipeline before a VLM server; runs in PaddleOCR's environment.

Reads {"file": ..., "options": {...}} on stdin, writes what each page says on stdout.
"""

import json
import sys

from paddleocr import PaddleOCRVL

order = json.load(sys.stdin)
pages = PaddleOCRVL(**order["options"]).predict(order["file"])
print(json.dumps([page.json["res"] for page in pages]))
