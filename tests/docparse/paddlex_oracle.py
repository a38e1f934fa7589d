"""PaddleX's own PaddleOCR-VL pipeline with stub models: what the service of PaddleX answers, at test time."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from paddlex.inference.common.batch_sampler import ImageBatchSampler
from paddlex.inference.common.reader import ReadImage
from paddlex.inference.models.layout_analysis.result import LayoutAnalysisResult
from paddlex.inference.pipelines.components import CropByBoxes
from paddlex.inference.pipelines.paddleocr_vl.pipeline import _PaddleOCRVLPipeline

from docparse.assembly import ImageKeys, assemble_page, render_page, restructure
from docparse.layout.detector import LayoutBox
from docparse.options import ParseOptions
from docparse.recognition import Recognition
from docparse.regions import build_regions, pad_to_limits

# What the service takes apart from what it passes to `predict`.
_RENDERING = {"prettify_markdown", "show_formula_number", "return_markdown_images", "visualize"}
_RESTRUCTURING = {"restructure_pages", "merge_tables", "relevel_titles"}


@dataclass
class Page:
    image: np.ndarray
    boxes: list[LayoutBox]


@dataclass
class Answer:
    """What a service said: elements of `layoutParsingResults`, and what its VLM was asked."""

    elements: list[dict[str, Any]]
    asked: list[tuple] = field(default_factory=list)


def read(prompt: str, image: np.ndarray) -> str:
    """The stub VLM: the text depends on the prompt and on every pixel."""
    digest = digest_of(image)
    if prompt == "Table Recognition:":
        cells = "".join(f"<fcel>[F{token}]" for token in (2, 3, 4, 5, 6, 7, 8, 22))
        return f"<fcel>{digest}<fcel>a & b<lcel><ecel><nl>{cells}<nl>"
    if prompt == "Formula Recognition:":
        return f"\\[ x^{{{digest}}} \\]"
    if prompt == "Chart Recognition:":
        return f"year|value\n2020|{digest}"
    if prompt == "Spotting:":
        corners = "".join(f"<|LOC_{n}|>" for n in (100, 100, 500, 100, 500, 200, 100, 200))
        return f"line {digest}{corners}"
    return (
        f"Plain text {digest}",
        f"1.2 Where \\(a_{digest}\\) and \\[b\\] costs $5",
        f"Two lines-\n{digest}\n\nand a third.",
        f"abstract {digest}",
        "again and " * 40,
    )[digest % 5]


Reader = Callable[[str, np.ndarray], str | None]


class StubVlm:
    class batch_sampler:  # noqa: N801
        batch_size = 64

    def __init__(self, reader: Reader = read):
        self.reader = reader
        self.asked = []
        self.parameters = {}

    def predict(self, batch, **parameters):
        self.parameters = parameters
        for item in batch:
            # Ours pads crops that engines refuse or crash on; PaddleX sends them as they are.
            image = pad_to_limits(item["image"])
            limits = parameters["min_pixels"], parameters["max_pixels"]
            assert all(limit > 0 for limit in limits)  # any engine would fail on others
            self.asked.append(question(item["query"], image, limits, parameters["skip_special_tokens"]))
            yield {"result": self.reader(item["query"], image)}


def question(prompt, image, limits, skip_special_tokens):
    """What the VLM is asked, in a form that can be compared and sorted."""
    return (prompt, image.shape, digest_of(image), *limits, skip_special_tokens)


def digest_of(image):
    return zlib.crc32(np.ascontiguousarray(image).tobytes())


class StubLayout:
    class batch_sampler:  # noqa: N801
        batch_size = 8

    def __init__(self, pages):
        self.pages = pages

    def __call__(self, images, **parameters):
        for image in images:
            page = next(page for page in self.pages if page.image is image)
            yield layout_result(image, page.boxes, parameters["layout_shape_mode"])


def layout_result(image: np.ndarray, boxes: list[LayoutBox], shape_mode: str) -> LayoutAnalysisResult:
    """What PaddleX's layout model answers for one page."""
    forms = []
    for box in boxes:
        form = {
            "cls_id": box.cls_id, "label": box.label, "score": box.score,
            "coordinate": list(box.coordinate), "order": box.order,
        }  # fmt: skip
        if box.polygon_points is not None and shape_mode != "rect":
            form["polygon_points"] = box.polygon_points
        forms.append(form)
    return LayoutAnalysisResult({"input_path": None, "page_index": None, "input_img": image, "boxes": forms})


def stub_pipeline(layout: Any, vlm: StubVlm) -> Any:
    """PaddleX's pipeline with the settings of its PaddleOCR-VL.yaml, around models that are none."""
    pipeline = _PaddleOCRVLPipeline.__new__(_PaddleOCRVLPipeline)
    pipeline.use_doc_preprocessor = pipeline.use_chart_recognition = pipeline.use_seal_recognition = False
    pipeline.format_block_content = pipeline.use_ocr_for_image_block = pipeline.use_queues = False
    pipeline.use_layout_detection = pipeline.merge_layout_blocks = True
    pipeline.markdown_ignore_labels = [
        "number", "footnote", "header", "header_image", "footer", "footer_image", "aside_text",
    ]  # fmt: skip
    pipeline.layout_prep_cpu_workers = 0
    pipeline.layout_det_model, pipeline.vl_rec_model = layout, vlm
    pipeline.batch_sampler = ImageBatchSampler(batch_size=64)
    pipeline.img_reader, pipeline.crop_by_boxes = ReadImage(format="BGR"), CropByBoxes()
    return pipeline


def ask_paddlex(pages: list[Page], parse: dict[str, Any], reader: Reader = read) -> Answer:
    """The elements that PaddleX 3.7.2's service would answer, less the pictures that need a font."""
    pipeline = stub_pipeline(StubLayout(pages), StubVlm(reader))
    options = {key: value for key, value in parse.items() if key not in _RENDERING | _RESTRUCTURING}
    results = list(pipeline.predict([page.image for page in pages], **options))
    if parse.get("restructure_pages"):
        chosen = {key: parse[key] for key in ("merge_tables", "relevel_titles") if key in parse}
        results = list(pipeline.restructure_pages(results, **chosen))
    elements = [_paddlex_element(page, result, parse) for page, result in zip(pages, results, strict=True)]
    return Answer(elements, sorted(pipeline.vl_rec_model.asked))


def _paddlex_element(page: Page, result: Any, parse: dict[str, Any]) -> dict[str, Any]:
    markdown = result._to_markdown(
        pretty=parse.get("prettify_markdown", True),
        show_formula_number=parse.get("show_formula_number", False),
    )

    element = {
        "prunedResult": json.loads(json.dumps(_prune(result.json["res"]))),
        "markdown": {"text": markdown["markdown_texts"]},
    }
    if parse.get("return_markdown_images", True):
        element["markdown"]["images"] = {
            key: _encode(cv2.cvtColor(np.array(image.convert("RGB")), cv2.COLOR_RGB2BGR))
            for key, image in markdown["markdown_images"].items()
        }
    if parse.get("visualize", True):
        element["inputImage"] = _encode(page.image)
    return element


def _prune(value: Any) -> Any:
    """As `prune_result` of PaddleX's service, which cannot be imported without its serving plugin."""
    if isinstance(value, dict):
        return {k: _prune(v) for k, v in value.items() if k not in ("input_path", "page_index")}
    return [_prune(item) for item in value] if isinstance(value, list) else value


def _encode(image: np.ndarray) -> str:
    """As `postprocess_image` of PaddleX's service with its `max_output_img_size` of 2000 x 2000."""
    height, width = image.shape[:2]
    if width > 2000 or height > 2000:
        factor = 2000 / width if width > height else 2000 / height
        image = cv2.resize(image, (int(factor * width), int(factor * height)))
    return base64.b64encode(cv2.imencode(".jpg", image)[1].tobytes()).decode()


def ask_docparse(pages: list[Page], parse: dict[str, Any], reader: Reader = read) -> Answer:
    """The same through our own stages, with the same boxes and the same answers of the VLM."""
    options = ParseOptions.from_wire(parse)
    image_keys = ImageKeys()
    parsed, asked = [], []
    for position, page in enumerate(pages):
        boxes = page.boxes if options.use_layout_detection else None
        regions = build_regions(page.image, boxes, options, position=position)
        recognitions = {}
        for request in regions.requests:
            limits = request.min_pixels, request.max_pixels
            asked.append(question(request.prompt, request.image, limits, request.skip_special_tokens))
            recognitions[request.index] = Recognition(reader(request.prompt, request.image), "stop")
        parsed.append(assemble_page(regions, recognitions, options))
    if options.restructure_pages:
        parsed = restructure(parsed, options)
    elements = [json.loads(render_page(page, options, image_keys)) for page in parsed]
    return Answer(elements, sorted(asked))


def drop_additions(element: dict[str, Any]) -> None:
    """Take out of our element the one field of a block that PaddleX does not have: how it was read."""
    for block in element["prunedResult"]["parsing_res_list"]:
        block.pop("block_recognition", None)
