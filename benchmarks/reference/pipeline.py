"""PaddleX's own PaddleOCR-VL pipeline around the simulators.

Kept: everything. `_PaddleOCRVLPipeline` as `PaddleOCR-VL.yaml` sets it up: three threads joined by queues, pages
laid out eight at a time, everything that was laid out within half a second recognised in one batch that ends with
its slowest region, `openai`'s client with at most 200 calls in flight, pictures as JPEG by Pillow.
Not kept: the layout network and its own work on the CPU, which the simulator stands for here as in the product.
"""

from collections.abc import Iterator
from typing import Any

from paddlex.inference.common.batch_sampler import ImageBatchSampler
from paddlex.inference.common.reader import ReadImage
from paddlex.inference.models.doc_vlm.predictor import DocVLMGenAIClientPredictor
from paddlex.inference.models.layout_analysis.result import LayoutAnalysisResult
from paddlex.inference.pipelines.components import CropByBoxes
from paddlex.inference.pipelines.paddleocr_vl.pipeline import _PaddleOCRVLPipeline

from benchmarks.simulators.layout.costs import DetectorClock
from benchmarks.simulators.layout.regions import make_regions

# From PaddleX's configs/pipelines/PaddleOCR-VL.yaml.
_PIPELINE_BATCH = 64
_LAYOUT_BATCH = 8
_VLM_BATCH = -1  # PaddleX then takes 8,192
_IGNORED_LABELS = [
    "number", "footnote", "header", "header_image", "footer", "footer_image", "aside_text",
]  # fmt: skip

# Order in the network's output, as in the product's layout/labels.py.
_CLASS_IDS = {"display_formula": 5, "doc_title": 6, "header": 12, "image": 14, "number": 16,
              "paragraph_title": 17, "table": 21, "text": 22}  # fmt: skip
_SCORE = 0.9


class SimulatedLayoutModel:
    """In the place of PaddleX's layout model; batches of eight, on the same clock as the product's."""

    class batch_sampler:  # noqa: N801  PaddleX's name
        """What the pipeline asks of it."""

        batch_size = _LAYOUT_BATCH

    def __init__(self, clock: DetectorClock, seed: int) -> None:
        self._clock = clock
        self._seed = seed

    def __call__(self, images: list[Any], **_: Any) -> Iterator[LayoutAnalysisResult]:
        """One result per page."""
        self._clock.spend(len(images))
        for image in images:
            height, width = image.shape[:2]
            boxes = [
                {
                    "cls_id": _CLASS_IDS[region.label],
                    "label": region.label,
                    "score": _SCORE,
                    "coordinate": list(region.box),
                    "order": order,
                }
                for order, region in enumerate(make_regions(width, height, self._seed), start=1)
            ]
            yield LayoutAnalysisResult(
                {"input_path": None, "page_index": None, "input_img": image, "boxes": boxes}
            )


def build_pipeline(vlm_url: str, clock: DetectorClock, seed: int) -> Any:
    """The pipeline as PaddleX would build it, without the files of its models."""
    pipeline = _PaddleOCRVLPipeline.__new__(_PaddleOCRVLPipeline)
    pipeline.use_doc_preprocessor = pipeline.use_chart_recognition = pipeline.use_seal_recognition = False
    pipeline.format_block_content = pipeline.use_ocr_for_image_block = False
    pipeline.use_layout_detection = pipeline.merge_layout_blocks = pipeline.use_queues = True
    pipeline.markdown_ignore_labels = list(_IGNORED_LABELS)
    pipeline.layout_prep_cpu_workers = 0
    pipeline.layout_det_model = SimulatedLayoutModel(clock, seed)
    pipeline.vl_rec_model = DocVLMGenAIClientPredictor(
        model_name="PaddleOCR-VL-0.9B",
        engine_config={"backend": "vllm-server", "server_url": f"{vlm_url}/v1"},
        batch_size=_VLM_BATCH,
    )
    pipeline.batch_sampler = ImageBatchSampler(batch_size=_PIPELINE_BATCH)
    pipeline.img_reader, pipeline.crop_by_boxes = ReadImage(format="BGR"), CropByBoxes()
    return pipeline
