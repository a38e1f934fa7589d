"""python parse.py URL FILE FILE_TYPE FOLDER: only `file` and `fileType` are sent; all that comes back is written."""

import base64
import json
import sys
from pathlib import Path

import requests

url, file, file_type, folder = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
body = {"file": base64.b64encode(file.read_bytes()).decode("ascii"), "fileType": file_type}
answer = requests.post(f"{url}/layout-parsing", json=body, timeout=120)
assert answer.status_code == 200, answer.text
for number, page in enumerate(answer.json()["result"]["layoutParsingResults"]):
    print(json.dumps(page["prunedResult"]))
    (folder / f"page-{number}.md").write_text(page["markdown"]["text"], encoding="utf-8")
    for name, encoded in page["markdown"]["images"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(encoded))
    for name, encoded in page["outputImages"].items():
        (folder / f"{name}-{number}.jpg").write_bytes(base64.b64decode(encoded))
