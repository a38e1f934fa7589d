"""The VLM server is asked as PaddleX's own client for vLLM asks it, option by option."""

import io
from types import SimpleNamespace

import pytest
from paddlex.inference.models.doc_vlm.predictor import DocVLMGenAIClientPredictor
from PIL import Image

from docparse.prompts import MOST_PIXELS
from tests.docparse.pages import box
from tests.parity.samples import image_sample
from tests.parity.services import Models, ask_paddlex
from tests.parity.vlm import service_with_vlm

SAMPLE = image_sample(box("text", 10, 10, 300, 100), width=400, height=300)
# What a client of the protocol decides, not a request.
OUR_OWN = {"model", "messages", "stream", "stream_options"}
PREDICT = (
    "max_new_tokens", "skip_special_tokens", "repetition_penalty", "temperature", "top_p", "min_pixels", "max_pixels",
)  # fmt: skip

OPTIONS = {
    "default": {},
    "temperature": {"temperature": 0.7},
    "nucleus": {"topP": 0.9},
    "penalty": {"repetitionPenalty": 1.1},
    "tokens": {"maxNewTokens": 77},
    "pixels": {"minPixels": 50_000, "maxPixels": 60_000},
    "fewer pixels": {"maxPixels": 200_000},
    "at most fewer than at least by default": {"maxPixels": 50_000},
    "at least more than at most by default": {"minPixels": 2_000_000},
    "crossed pixels of the task": {"vlmExtraArgs": {"ocr_min_pixels": 40_000, "ocr_max_pixels": 30_000}},
    "crossed pixels in further arguments": {"maxPixels": 5e5, "vlmExtraArgs": {"min_pixels": 600_000}},
    "what the client itself says": {
        "vlmExtraArgs": {"messages": [], "model": "another", "stream": True, "stream_options": {}, "n": 2},
    },
    "pixels of the task": {"vlmExtraArgs": {"ocr_min_pixels": 30_000, "ocr_max_pixels": 40_000}},
    "further arguments go first": {
        "temperature": 0.1, "maxNewTokens": 10,
        "vlmExtraArgs": {"temperature": 0.3, "max_new_tokens": 20.0, "top_p": 0.5, "max_pixels": 5e5},
    },
    "spotting": {"useLayoutDetection": False, "promptLabel": "spotting", "maxPixels": 200_000},
    "formula": {"useLayoutDetection": False, "promptLabel": "formula", "vlmExtraArgs": {"formula_max_pixels": 150_000}},
}  # fmt: skip


async def asked_by_paddlex(options):
    models = Models(SAMPLE.pages)
    assert (await ask_paddlex(models, SAMPLE.body(**options))).status_code == 200
    chosen = [models.vlm.parameters.get(name) for name in PREDICT]
    ((_, arguments),) = DocVLMGenAIClientPredictor._doc_vlm_genai_build_request_specs(
        SimpleNamespace(model_name="PaddleOCR-VL-0.9B"), SimpleNamespace(backend="vllm-server"),
        [{"image": "http://picture", "query": models.vlm.asked[0][0]}], "JPEG", *chosen,
    )  # fmt: skip
    extra = arguments.pop("extra_body")  # the client of OpenAI's protocol puts it beside the others
    return models.vlm.asked[0][0], {**arguments, **extra}


async def asked_by_us(pool, options):
    # As PaddleX does it: the engine resizes the crop, and nobody watches it.
    settings = {"vlm_pixel_limits": "send", "vlm_repetition_guard": "off"}
    models = Models(SAMPLE.pages)
    async with service_with_vlm(models.detect, pool, "text", **settings) as (http, vlm):
        answer = await http.post("/layout-parsing", json=SAMPLE.body(**options))
        assert answer.status_code == 200, answer.text
    (completion,) = vlm.completions
    return completion.prompt, {name: value for name, value in completion.body.items() if name not in OUR_OWN}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
async def test_the_vlm_is_asked_as_paddlex_asks_it(pool, options):
    assert await asked_by_us(pool, options) == await asked_by_paddlex(options)


async def test_further_arguments_reach_the_engine(pool):
    """They go to PaddleX's call, whose client for servers then leaves out those that it has no name for."""
    options = {"vlmExtraArgs": {"seed": 3}}
    assert "seed" not in (await asked_by_paddlex(options))[1]
    assert (await asked_by_us(pool, options))[1]["seed"] == 3


@pytest.mark.parametrize(
    "options",
    [
        {"maxNewTokens": 10**20, "maxPixels": 10**20, "minPixels": 10**20},
        {"vlmExtraArgs": {"max_new_tokens": 1e300, "max_pixels": 1e300, "min_pixels": 2**63}},
    ],
)
async def test_a_number_that_no_tier_could_count_is_the_largest_that_all_can(pool, options):
    _, body = await asked_by_us(pool, options)
    assert body["max_completion_tokens"] == 2**31 - 1
    assert body["mm_processor_kwargs"] == {"min_pixels": MOST_PIXELS, "max_pixels": MOST_PIXELS}


@pytest.mark.parametrize("options", [{"minPixels": 10**9}, {"vlmExtraArgs": {"ocr_min_pixels": 1e300}}])
async def test_no_request_has_a_picture_made_larger_than_any_engine_takes(pool, options):
    models = Models(SAMPLE.pages)
    async with service_with_vlm(models.detect, pool, "text") as (http, vlm):
        answer = await http.post("/layout-parsing", json=SAMPLE.body(**options))
        assert answer.status_code == 200, answer.text
    (completion,) = vlm.completions
    width, height = Image.open(io.BytesIO(completion.image)).size
    assert MOST_PIXELS <= width * height < 1.1 * MOST_PIXELS
