"""Loads files with langchain-paddleocr; runs in that client's environment.

Reads {"files": [...], "options": {...}} on stdin, writes the documents that the loader yields on stdout. The loader
checks each whole `result` with PaddleX's schema and raises when it does not fit.
"""

import json
import sys

from langchain_paddleocr import PaddleOCRVLLoader
from pydantic import SecretStr

order = json.load(sys.stdin)
options = order["options"]
if "access_token" in options:
    options["access_token"] = SecretStr(options["access_token"])
documents = PaddleOCRVLLoader(order["files"], **options).load()
print(json.dumps([{"text": document.page_content, "metadata": document.metadata} for document in documents]))
