"""A hub of models on loopback that speaks as Hugging Face's and ModelScope's do, and can fail as they do."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Hub:
    """Repositories, and how they are served.

    Attributes:
        repositories: files by repository.
        revision: the newest commit of each; others are not there.
        large: files that are kept as large ones, whose checksum the hub tells.
        broken_after: bytes after which the connection is cut, once.
        ranges: whether it sends parts of files.
        requests: the path of each, with its range.
    """

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    revision: str = "c0ffee"
    large: tuple[str, ...] = ("model.safetensors", "inference.onnx")
    broken_after: int | None = None
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, query: dict[str, list[str]]) -> object:
        """What is at `path`: bytes of a file, data for JSON, or None for 404."""
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            repository, rest = "/".join(parts[2:4]), parts[4:]
            files = self.repositories.get(repository)
            if files is None:
                return None
            if rest == ["revision", "main"]:
                return {"sha": self.revision}
            return (
                [self._entry(name, files[name]) for name in files]
                if rest == ["tree", self.revision]
                else None
            )
        if parts[:3] == ["api", "v1", "models"]:
            files = self.repositories.get("/".join(parts[3:5]), {})
            listed = [
                {"Path": n, "Size": len(d), "Type": "blob", "Sha256": _sum(d)} for n, d in files.items()
            ]
            return {"Data": {"Files": listed}} if query.get("Revision") == ["master"] else None
        if parts[0] == "models":  # ModelScope's files
            parts = parts[1:]
        repository, name = "/".join(parts[:2]), "/".join(parts[4:])
        if parts[2:3] != ["resolve"] or parts[3] not in (self.revision, "master"):
            return None
        return self.repositories.get(repository, {}).get(name)

    def _entry(self, name: str, data: bytes) -> dict[str, object]:
        entry: dict[str, object] = {"type": "file", "path": name, "size": len(data), "oid": "0" * 40}
        return {**entry, "lfs": {"oid": _sum(data), "size": len(data)}} if name in self.large else entry


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = self.headers.get("Range")
            hub.requests.append((parts.path, asked))
            answer = hub.answer(parts.path, parse_qs(parts.query))
            if answer is None:
                return self._send(404, b"not here")
            if not isinstance(answer, bytes):
                return self._send(200, json.dumps(answer).encode())
            if asked and hub.ranges:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(answer):
                    return self._send(416, b"")
                return self._send(206, answer[start:], f"bytes {start}-{len(answer) - 1}/{len(answer)}")
            return self._send(200, answer)

        def _send(self, status: int, data: bytes, content_range: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if content_range:
                self.send_header("Content-Range", content_range)
            self.end_headers()
            if hub.broken_after is not None and len(data) > hub.broken_after:
                self.wfile.write(data[: hub.broken_after])
                hub.broken_after = None
                self.close_connection = True
                return
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
