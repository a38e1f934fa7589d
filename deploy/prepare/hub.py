"""Ask a model hub what a repository holds, for prepare.sh. Standard library only; runs on any Python 3.8 or newer.

    hub.py files HUB REPOSITORY REVISION     its files, one path a line
    hub.py lock LOCK [MODEL...]              write LOCK anew with the newest revisions on Hugging Face

A hub is `huggingface` (HF_ENDPOINT names a mirror) or `modelscope` (MODELSCOPE_ENDPOINT).
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path, PurePosixPath
from typing import Any

_TIMEOUT_SECONDS = 30
# What serves no server: pictures, descriptions, and PaddleOCR-VL's copy of the layout model in Paddle's own format.
_UNUSED_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".md", ".pdf")
_UNUSED_FOLDERS = ("PP-DocLayoutV2", "assets", "imgs", "images")


def main(arguments: list[str]) -> int:
    """Do what `arguments` say; returns the exit code."""
    try:
        if arguments[:1] == ["files"] and len(arguments) == 4:
            for file in list_files(*arguments[1:]):
                print(file["path"])
        elif arguments[:1] == ["lock"] and len(arguments) >= 2:
            write_lock(Path(arguments[1]), arguments[2:])
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
        print(f"hub.py: {error}", file=sys.stderr)
        return 1
    return 0


def list_files(hub: str, repository: str, revision: str) -> list[dict[str, Any]]:
    """The files that a server needs: path, size and sha256, which is None where the hub does not tell it."""
    if hub == "huggingface":
        url = f"{_huggingface()}/api/models/{repository}/tree/{revision}?recursive=true"
        files = [
            {"path": each["path"], "size": each["size"], "sha256": (each.get("lfs") or {}).get("oid")}
            for each in _json(url)
            if each["type"] == "file"
        ]
    elif hub == "modelscope":
        query = urllib.parse.urlencode({"Revision": revision, "Recursive": "true"})
        files = [
            {"path": each["Path"], "size": each["Size"], "sha256": each.get("Sha256") or None}
            for each in _json(f"{_modelscope()}/api/v1/models/{repository}/repo/files?{query}")["Data"][
                "Files"
            ]
            if each["Type"] == "blob"
        ]
    else:
        raise ValueError(f"no hub is called {hub}")
    return sorted((file for file in files if _is_used(file["path"])), key=lambda file: file["path"])


def write_lock(lock: Path, names: list[str]) -> None:
    """Replace the sections of `names`, or of all models, in the lock file."""
    head, *sections = lock.read_text(encoding="utf-8").split("\nmodel ")
    unknown = set(names) - {section.split("\n", 1)[0] for section in sections}
    if unknown:
        raise ValueError(f"{lock} has no model called {', '.join(sorted(unknown))}")
    written = [
        section if names and section.split("\n", 1)[0] not in names else _locked(section)
        for section in sections
    ]
    part = lock.with_name(lock.name + ".part")
    part.write_text("\nmodel ".join([head, *written]).rstrip("\n") + "\n", encoding="utf-8")
    part.replace(lock)


def _locked(section: str) -> str:
    name, *lines = section.split("\n")
    sources = [line.split() for line in lines if line.startswith("source ")]
    repository = next(source[2] for source in sources if source[1] == "huggingface")
    revision = _json(f"{_huggingface()}/api/models/{repository}/revision/main")["sha"]
    print(f"{name}: {repository} at {revision}")
    for source in sources:
        if source[1] == "huggingface":
            source[3] = revision
    kept = [line for line in lines if line.startswith("#")]
    wanted = (
        {line.split()[3] for line in lines if line.startswith("file ")} if "and-others" not in lines else None
    )
    files = [
        f"file {file['sha256'] or _sha256_of(repository, revision, file['path'])} {file['size']} {file['path']}"
        for file in list_files("huggingface", repository, revision)
        if wanted is None or file["path"] in wanted
    ]
    return "\n".join([name, *kept, *(" ".join(source) for source in sources), *files, ""])


def _sha256_of(repository: str, revision: str, path: str) -> str:
    # Only what is not in large-file storage, so it is small.
    url = f"{_huggingface()}/{repository}/resolve/{revision}/{urllib.parse.quote(path)}"
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
        return hashlib.sha256(response.read()).hexdigest()


def _is_used(path: str) -> bool:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or any(character.isspace() for character in path):
        raise ValueError(f"the hub lists a file called {path!r}")
    return not (path.startswith(".") or path.endswith(_UNUSED_SUFFIXES) or pure.parts[0] in _UNUSED_FOLDERS)


def _json(url: str) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": "paddleocr-vl-hps"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
        return json.load(response)


def _huggingface() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _modelscope() -> str:
    return os.environ.get("MODELSCOPE_ENDPOINT", "https://modelscope.cn").rstrip("/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
