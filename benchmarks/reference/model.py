"""The one synchronous Triton model of the reference: a batch of requests in, all answers out when the last is done.

Kept, of PaddleX's deploy/hps (server_env's base_model.py, PaddleOCR-VL's model.py): the request as JSON in a BYTES
tensor, checked by PaddleX's schema; every document of the batch rendered to the last page first, in a thread each;
one call of the pipeline over all pages of all documents; every answer formatted, in a thread each; one JSON string
per answer. Requests with other options would form groups that run one after another; the benchmark's have the same.
Not kept: log context, URLs of pictures, restructuring of pages.
"""

import logging
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from paddlex.inference.serving.basic_serving._pipeline_apps._common import common
from paddlex.inference.serving.infra import utils
from paddlex.inference.serving.infra.models import AIStudioNoResultResponse, AIStudioResultResponse
from paddlex.inference.serving.schemas import paddleocr_vl as schema
from pydantic import ValidationError

from benchmarks.reference.pipeline import build_pipeline
from benchmarks.simulators.layout.costs import DetectorClock
from benchmarks.simulators.settings import LayoutSimulation

logger = logging.getLogger(__name__)

# PaddleX's PaddleOCR-VL.yaml lifts the limit of ten.
_MOST_PAGES = None
_MAX_OUTPUT_IMG_SIZE = (2000, 2000)

# Request fields that the pipeline is called with, by its own names for them.
_ARGUMENTS = {
    "use_doc_orientation_classify": "useDocOrientationClassify",
    "use_doc_unwarping": "useDocUnwarping",
    "use_layout_detection": "useLayoutDetection",
    "use_chart_recognition": "useChartRecognition",
    "use_seal_recognition": "useSealRecognition",
    "use_ocr_for_image_block": "useOcrForImageBlock",
    "layout_threshold": "layoutThreshold",
    "layout_nms": "layoutNms",
    "layout_unclip_ratio": "layoutUnclipRatio",
    "layout_merge_bboxes_mode": "layoutMergeBboxesMode",
    "layout_shape_mode": "layoutShapeMode",
    "prompt_label": "promptLabel",
    "format_block_content": "formatBlockContent",
    "repetition_penalty": "repetitionPenalty",
    "temperature": "temperature",
    "top_p": "topP",
    "min_pixels": "minPixels",
    "max_pixels": "maxPixels",
    "max_new_tokens": "maxNewTokens",
    "merge_layout_blocks": "mergeLayoutBlocks",
    "markdown_ignore_labels": "markdownIgnoreLabels",
    "vlm_extra_args": "vlmExtraArgs",
}


class ReferenceModel:
    """Answers batches."""

    def __init__(self) -> None:
        simulation = LayoutSimulation.from_environment()
        vlm_url = os.environ["HPS_VLM_URLS"].split(",")[0]
        self._pipeline = build_pipeline(vlm_url, DetectorClock(simulation.costs), simulation.seed)

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response per request."""
        outputs: dict[int, Any] = {}
        inputs: dict[int, schema.InferRequest] = {}
        for index, request in enumerate(requests):
            text = pb_utils.get_input_tensor_by_name(request, "input").as_numpy()[0, 0].decode("utf-8")
            try:
                inputs[index] = schema.InferRequest.model_validate_json(text)
            except ValidationError as error:
                outputs[index] = _failure(422, str(error))
        try:
            outputs.update(zip(inputs, self._run_batch(list(inputs.values())), strict=True))
        except Exception:
            logger.exception("a batch failed")
            outputs.update({index: _failure(500, "Internal server error") for index in inputs})
        return [_response(outputs[index]) for index in range(len(requests))]

    def _run_batch(self, inputs: list[schema.InferRequest]) -> list[Any]:
        if not inputs:
            return []
        with ThreadPoolExecutor(len(inputs)) as threads:
            documents = list(threads.map(_render, inputs))
            images = [image for pages, _ in documents for image in pages]
            arguments = {name: getattr(inputs[0], field) for name, field in _ARGUMENTS.items()}
            predictions = list(self._pipeline(images, **arguments))
            groups, start = [], 0
            for pages, _ in documents:
                groups.append(predictions[start : start + len(pages)])
                start += len(pages)
            return list(threads.map(_format, inputs, documents, groups))


def _render(request: schema.InferRequest) -> tuple[list[Any], Any]:
    """Every page of the document, and what it is."""
    file_type = "PDF" if request.fileType == 0 else "IMAGE"
    pages, info = utils.file_to_images(utils.get_raw_bytes(request.file), file_type, max_num_imgs=_MOST_PAGES)
    return pages, info


def _format(request: schema.InferRequest, document: tuple[list[Any], Any], results: list[Any]) -> Any:
    """The answer to one request."""
    log_id = str(uuid.uuid4())
    pages, info = document
    elements = []
    for number, (page, result) in enumerate(zip(pages, results, strict=True)):
        pruned = common.prune_result(result.json["res"])
        markdown = result._to_markdown(  # noqa: SLF001  the reference calls it too
            pretty=request.prettifyMarkdown, show_formula_number=request.showFormulaNumber
        )
        images = common.postprocess_images(
            result.markdown["markdown_images"],
            log_id,
            filename_template=f"markdown_{number}/{{key}}",
            max_img_size=_MAX_OUTPUT_IMG_SIZE,
        )
        shown: dict[str, str] = {}
        if request.visualize is not False:
            shown = common.postprocess_images(
                {"input_img": page, **result.img},
                log_id,
                filename_template=f"{{key}}_{number}.jpg",
                max_img_size=_MAX_OUTPUT_IMG_SIZE,
            )
        elements.append(
            {
                "prunedResult": pruned,
                "markdown": {"text": markdown["markdown_texts"], "images": images},
                "outputImages": {k: v for k, v in shown.items() if k != "input_img"} if shown else None,
                "inputImage": shown.get("input_img"),
            }
        )
    result = schema.InferResult(layoutParsingResults=elements, dataInfo=info)
    return AIStudioResultResponse(logId=log_id, errorCode=0, errorMsg="Success", result=result)


def _failure(code: int, message: str) -> AIStudioNoResultResponse:
    return AIStudioNoResultResponse(logId=str(uuid.uuid4()), errorCode=code, errorMsg=message)


def _response(output: Any) -> Any:
    text = output.model_dump_json(exclude_none=True).encode("utf-8")
    return pb_utils.InferenceResponse([pb_utils.Tensor("output", np.array([[text]], dtype=np.object_))])
