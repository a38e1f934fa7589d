"""Requests made from our own API description, good and bad: no 500, and no answer that it does not describe."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.fakes.vlm import running_vlm

ROOT = Path(__file__).parents[2]
# The service takes what PaddleX takes, which is more than the description says: "yes" for true, 1.0 for 1.
EXCLUDED_CHECKS = "negative_data_rejection"


@pytest.mark.parametrize(
    ("most_examples", "how"),
    [
        pytest.param("40", ["--generation-deterministic"], id="bounded"),
        pytest.param("1000", ["--generation-database=none"], id="long", marks=pytest.mark.fuzz),
    ],
)
async def test_every_answer_is_described_and_none_is_a_defect(
    start_gateway, triton, tmp_path, most_examples, how
):
    async with running_vlm() as vlm:
        gateway = await start_gateway(vlm_urls=(vlm.url,), api_keys="fuzz:secret")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--no-color", "run", f"{gateway.url}/openapi.json"),
            *("--checks=all", f"--exclude-checks={EXCLUDED_CHECKS}", "--phases=examples,coverage,fuzzing"),
            *(f"--max-examples={most_examples}", "--continue-on-failure"),
            *("--request-timeout=30", "--header=Authorization: Bearer secret", *how),
            cwd=tmp_path,
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
    assert triton.requests, "no request was good enough to reach Triton"
