"""`make demo`: start the three tiers, parse every example, write what came back, stop everything."""

import argparse
import base64
import http.client
import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.local.process import RunningStack, StackFailed, exit_on_sigterm, running_stack

_ROOT = Path(__file__).resolve().parents[2]
_EXAMPLES = _ROOT / "examples"
_SUFFIXES = frozenset({".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif"})


@dataclass(slots=True)
class ParsedDocument:
    """What came back for one file: the finished pages by index."""

    pages: dict[int, dict[str, Any]] = field(default_factory=dict)

    def in_order(self) -> list[dict[str, Any]]:
        """The pages as the document has them."""
        return [self.pages[index] for index in sorted(self.pages)]


def stream_document(url: str, data: bytes) -> Iterator[dict[str, Any]]:
    """Events of `POST /layout-parsing` in its streaming form, as they arrive.

    Raises:
        RuntimeError: the service answered with an error.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=300)
    try:
        connection.request(
            "POST",
            "/layout-parsing",
            json.dumps({"file": base64.b64encode(data).decode()}),
            {"Content-Type": "application/json", "Accept": "application/x-ndjson"},
        )
        response = connection.getresponse()
        for line in response:
            event = json.loads(line)
            if event.get("errorCode", 0) != 0:
                raise RuntimeError(event["errorMsg"])
            yield event
    finally:
        connection.close()


def parse_example(url: str, path: Path) -> ParsedDocument:
    """Parse one file, showing each page as it is done."""
    document = ParsedDocument()
    total = 0
    started = time.monotonic()
    for event in stream_document(url, path.read_bytes()):
        if event["type"] == "document":
            total = event["dataInfo"].get("numPages", 1)
        elif event["type"] == "page":
            document.pages[event["index"]] = event["result"]
            _show(f"\r  {path.name:<14} {len(document.pages)}/{total} pages")
    blocks = sum(len(page["prunedResult"]["parsing_res_list"]) for page in document.pages.values())
    _show(f"\r  {path.name:<14} {total}/{total} pages, {blocks} blocks, {time.monotonic() - started:.1f} s\n")
    return document


def write_document(document: ParsedDocument, folder: Path) -> None:
    """Write the Markdown with its images, the JSON, and each page with its regions drawn."""
    folder.mkdir(parents=True)
    texts = []
    for number, page in enumerate(document.in_order(), start=1):
        texts.append(page["markdown"]["text"])
        for key, image in page["markdown"]["images"].items():
            _write_image(folder / key, image)
        _write_image(folder / f"page_{number}_regions.jpg", page["outputImages"]["layout_det_res"])
        pruned = json.dumps(page["prunedResult"], ensure_ascii=False, indent=1)
        (folder / f"page_{number}.json").write_text(pruned + "\n", encoding="utf-8")
    (folder / "document.md").write_text("\n\n".join(texts) + "\n", encoding="utf-8")


def run_demo(stack: RunningStack, examples: list[Path], output: Path) -> None:
    """Parse every example into `output` and print the first page of the first."""
    first_page = ""
    for path in examples:
        document = parse_example(stack.url, path)
        write_document(document, output / path.stem)
        first_page = first_page or document.in_order()[0]["markdown"]["text"]
    _show(f"\n--- first page of {examples[0].name} ---\n{first_page}\n---\n\n")


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=_ROOT / "demo-output", help="replaced if it exists")
    output: Path = parser.parse_args().output
    exit_on_sigterm()
    # The paper first: its first page is the one that is printed.
    examples = sorted(
        (path for path in _EXAMPLES.iterdir() if path.suffix in _SUFFIXES),
        key=lambda path: path.suffix != ".pdf",
    )
    shutil.rmtree(output, ignore_errors=True)
    started = time.monotonic()
    _show("starting the gateway, Triton and the embedded VLM server ")
    try:
        # The demo writes the pictures to files, so it asks for them in the answers.
        settings = {"HPS_IMAGE_STORE": "inline"}
        with running_stack(_ROOT / ".stack" / "demo.log", settings, tick=lambda: _show(".")) as stack:
            _show(f" ready after {time.monotonic() - started:.0f} s\n")
            run_demo(stack, examples, output)
    except KeyboardInterrupt:
        _show("\nstopped\n")
        return 130
    except (StackFailed, RuntimeError, OSError) as error:
        _show(f"\nthe demo failed: {error}\n")
        return 1
    seconds = time.monotonic() - started
    _show(f"{len(examples)} documents written to {output.name}/ in {seconds:.0f} s; everything stopped.\n")
    return 0


def _write_image(path: Path, encoded: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(encoded))


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
