"""Peak memory of the whole stack while one PDF is in flight."""

import base64
import io
import json
import threading
import urllib.request
from pathlib import Path

import psutil
import pypdfium2

from deploy.local.process import RunningStack, running_stack

ROOT = Path(__file__).resolve().parents[2]

_SAMPLE_SECONDS = 0.1


class PeakMemory:
    """The largest sum of the stack's processes, sampled while it is entered; bytes."""

    def __init__(self, stack: RunningStack) -> None:
        self._root = psutil.Process(stack.process.pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.peak_bytes = 0

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, self._resident())

    def _resident(self) -> int:
        total = 0
        for process in [self._root, *self._root.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total


def peak_with_pages(pages: int, log: Path) -> int:
    """Bytes at the peak of a fresh stack that parses a PDF of so many pages in one request."""
    with running_stack(log) as stack, PeakMemory(stack) as memory:
        body = json.dumps({"file": base64.b64encode(_pdf(pages)).decode()}).encode()
        request = urllib.request.Request(
            f"{stack.url}/layout-parsing", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=3600) as response:
            while response.read(1 << 20):
                pass
    return memory.peak_bytes


def _pdf(pages: int) -> bytes:
    """The example paper's pages over and over."""
    paper = pypdfium2.PdfDocument(ROOT / "examples" / "paper.pdf")
    document = pypdfium2.PdfDocument.new()
    for index in range(pages):
        document.import_pages(paper, [index % len(paper)])
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    paper.close()
    return buffer.getvalue()
