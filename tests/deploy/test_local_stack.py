"""What `make serve` and `make demo` need to know about the stack that they start."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from deploy.local.process import is_ready


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_proxy_in_the_environment_is_not_asked_whether_the_stack_is_ready(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with HTTPServer(("127.0.0.1", 0), _Ready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            assert is_ready(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
