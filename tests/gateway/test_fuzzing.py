"""Requests made from our own API description, good and bad: no 500, and no answer that it does not describe."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from docparse.documents import RenderPool
from docparse.pipeline import DocumentPipeline
from docparse.settings import Settings
from tests.docparse.pages import box
from tests.docparse.test_recognition import recognizer_for
from tests.fakes.triton import FakeTriton
from tests.fakes.vlm import running_vlm
from tests.gateway.conftest import StartGateway
from tests.parity.services import Models, put_behind

ROOT = Path(__file__).parents[2]
# The service takes what PaddleX takes, which is more than the description says: "yes" for true, 1.0 for 1.
EXCLUDED_CHECKS = "negative_data_rejection"


async def one_page(triton: FakeTriton) -> AsyncIterator[None]:
    """The same good answer to everything that gets through the gateway."""
    yield


async def our_pipeline(triton: FakeTriton) -> AsyncIterator[None]:
    """The pipeline and the restructuring that Triton runs; of models there is none in it."""
    models = Models([[box("text", 10, 10, 300, 100), box("table", 10, 110, 300, 200)]])
    pool = RenderPool(workers=1, timeout_seconds=30, max_pixels=10**8)
    try:
        async with (
            running_vlm("a text") as vlm,
            recognizer_for(vlm, 16, pixel_limits="send") as recognizer,
        ):
            put_behind(triton, DocumentPipeline(Settings(), pool, models.detect, recognizer))
            yield
    finally:
        pool.close()


# What stands behind the gateway, and the check that does not hold for it.
BEHIND = {
    "one page": (one_page, ""),
    # That no description tells: which models are loaded, which pages a document has.
    "our pipeline": (our_pipeline, ",positive_data_acceptance"),
}


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize(
    "how",
    [
        pytest.param(["--max-examples=40", "--generation-deterministic"], id="bounded"),
        pytest.param(
            ["--max-examples=1000", "--generation-database=none"], id="long", marks=pytest.mark.fuzz
        ),
    ],
)
async def test_every_answer_is_described_and_none_is_a_defect(  # noqa: PLR0917
    start_gateway, triton, tmp_path, caplog, behind, how
):
    caplog.set_level(logging.ERROR)
    put, unchecked = BEHIND[behind]
    async with asynccontextmanager(put)(triton):
        await fuzz(start_gateway, tmp_path, [*how, f"--exclude-checks={EXCLUDED_CHECKS}{unchecked}"])
    assert triton.requests, "no request was good enough to reach Triton"
    # A page that fails by a defect of ours is an empty page, and a line in the log.
    assert [record for record in caplog.records if record.name.startswith("docparse.pipeline")] == []


async def fuzz(start_gateway: StartGateway, folder: Path, how: list[str]) -> None:
    async with running_vlm() as vlm:
        gateway = await start_gateway(vlm_urls=(vlm.url,), api_keys="fuzz:secret")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--no-color", "run", f"{gateway.url}/openapi.json"),
            *("--checks=all", "--phases=examples,coverage,fuzzing", "--continue-on-failure"),
            *("--request-timeout=30", "--header=Authorization: Bearer secret", *how),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.gateway.fuzz_hooks"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    assert process.returncode == 0, output.decode()
