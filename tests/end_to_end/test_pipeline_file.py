"""A mounted pipeline configuration file, through every tier: what it says is what happens."""

import asyncio
import base64

import httpx
import psutil

from deploy.local.process import running_stack
from tests.fakes.vlm import running_vlm
from tests.networks.layout import write_layout_model
from tests.networks.palette import Painted, paint, tiff_of

REGIONS = [
    Painted("header", (40, 20, 400, 60)), Painted("text", (40, 100, 360, 200)),
    Painted("chart", (40, 240, 360, 440)), Painted("table", (440, 100, 760, 400), fill=0.5),
]  # fmt: skip
FILE = """
pipeline_name: PaddleOCR-VL
use_queues: True
use_chart_recognition: True
format_block_content: True
merge_layout_blocks: False
markdown_ignore_labels: [text]
SubModules:
  LayoutDetection:
    model_dir: {model_dir}
    threshold: {{table: 0.3}}
    layout_unclip_ratio: {{header: [1.0, 1.5]}}
  VLRecognition:
    model_name: my-fine-tuned-model
    genai_config:
      backend: vllm-server
      server_url: {url}/v1
      max_concurrency: 2
      client_kwargs: {{api_key: open-sesame}}
Serving:
  visualize: False
  extra: {{max_num_input_imgs: 3}}
"""


def encoded(*pages):
    return base64.b64encode(tiff_of(pages)).decode()


async def test_what_the_file_says_is_what_happens(tmp_path):
    model = write_layout_model(tmp_path / "model")
    async with running_vlm() as vlm:
        file = tmp_path / "pipeline_config_vllm.yaml"
        file.write_text(FILE.format(model_dir=model, url=vlm.url))
        await asyncio.to_thread(ask_a_stack, tmp_path, {"HPS_PIPELINE_CONFIG": str(file)})
        assert {each.authorization for each in vlm.completions} == {"Bearer open-sesame"}
        assert {each.body["model"] for each in vlm.completions} == {"my-fine-tuned-model"}
        assert vlm.most_running <= 2
        prompts = {each.prompt for each in vlm.completions}
        assert prompts == {"OCR:", "Chart Recognition:", "Table Recognition:"}


def ask_a_stack(folder, settings):
    with running_stack(folder / "stack.log", settings) as stack:
        tiers = psutil.Process(stack.process.pid).children(recursive=True)
        assert not [each for each in tiers if "vlm_server" in each.cmdline()]  # the file names another one
        page = paint(REGIONS)
        answer = httpx.post(f"{stack.url}/layout-parsing", json={"file": encoded(page, page)}, timeout=300)
        assert answer.status_code == 200, answer.text
        for element in answer.json()["result"]["layoutParsingResults"]:
            check_page(element)
        longer = httpx.post(f"{stack.url}/layout-parsing", json={"file": encoded(*[page] * 4)}, timeout=300)
        assert longer.status_code == 413
        asked = {"file": encoded(page), "visualize": True, "markdownIgnoreLabels": []}
        (element,) = httpx.post(f"{stack.url}/layout-parsing", json=asked, timeout=300).json()["result"][
            "layoutParsingResults"
        ]
        assert set(element["outputImages"]) == {"layout_det_res"}  # the request goes before the file
        assert element["markdown"]["text"].count("text for OCR:") == 2
    assert "no effect here: use_queues." in (folder / "stack.log").read_text()


def check_page(element):
    assert "outputImages" not in element
    pruned = element["prunedResult"]
    boxes = {each["label"]: each["coordinate"] for each in pruned["layout_det_res"]["boxes"]}
    assert boxes == {"header": [40, 10, 400, 70], "text": [40, 100, 360, 200], "chart": [40, 240, 360, 440],
                     "table": [440, 100, 760, 400]}  # fmt: skip
    settings = pruned["model_settings"]
    assert settings["use_chart_recognition"]
    assert settings["format_block_content"]
    assert not settings["merge_layout_blocks"]
    assert settings["markdown_ignore_labels"] == ["text"]
    # The header is in the Markdown, and the text is not.
    assert element["markdown"]["text"].count("text for OCR:") == 1
