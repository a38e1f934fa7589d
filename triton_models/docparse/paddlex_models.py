"""PaddleX's models of pages, behind our own names: layout detection, orientation, unwarping.

Beside `paddlex_forms` the only importer of PaddleX. Models come from folders that are given; nothing is looked for on
the network. tests/docparse/test_paddlex_models_contract.py says what is relied on though it is not public API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from paddlex.inference import create_predictor
from paddlex.inference.common.batch_sampler.image_batch_sampler import ImgBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Page = NDArray[np.uint8]

# Of this engine we know the options; the others get what the configuration file says.
_ONNX = "onnxruntime"


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """Where a model lies, and how it is to run.

    Attributes:
        name: PaddleX's name of the model.
        folder: with its files.
        engine: PaddleX's name of the inference engine.
        device: `cpu`, `gpu` or `gpu:1`.
        threads: CPU threads of one inference.
        engine_config: PaddleX's options of the engine, before ours.
    """

    name: str
    folder: Path
    engine: str = _ONNX
    device: str = "cpu"
    threads: int = 2
    engine_config: Mapping[str, Any] | None = None


class ModelCannotRun(Exception):
    """A model does not run as it was asked to; the message says why."""


def load(place: ModelPlace) -> Any:
    """PaddleX's predictor.

    Raises:
        ModelCannotRun: it does not run on the device that was asked for.
    """
    on_gpu = place.device.startswith("gpu")
    if on_gpu and place.engine == _ONNX:
        onnxruntime.preload_dlls()  # CUDA's libraries where they came as Python packages
    predictor = create_predictor(
        place.name,
        model_dir=str(place.folder),
        engine=place.engine,
        device=place.device,
        engine_config={**_engine_defaults(place), **(place.engine_config or {})},
    )
    if on_gpu and place.engine == _ONNX:
        providers = predictor.runner.session.get_providers()
        if "CUDAExecutionProvider" not in providers:  # ONNX Runtime would go on, on the CPU
            raise ModelCannotRun(
                f"{place.name} was to run on {place.device}, but ONNX Runtime could not load CUDA and took "
                f"{', '.join(providers)}; its lines above say what was missing."
            )
    return predictor


def batch_of(pages: Sequence["Page"]) -> ImgBatch:
    """Pages as PaddleX's predictors take them. Its own sampler leaves out what is no array, without a word."""
    batch = ImgBatch()
    for page in pages:
        batch.append(np.ascontiguousarray(page), None, None, None)
    return batch


def _engine_defaults(place: ModelPlace) -> dict[str, Any]:
    if place.engine != _ONNX:
        return {}
    return {
        "intra_op_num_threads": place.threads,
        "inter_op_num_threads": 1,
        "log_severity_level": 3,
        # The arena would keep the memory of the largest batch for ever.
        "enable_cpu_mem_arena": False,
    }


class _NoPostprocessing:
    """In the place of PaddleX's post-processing: hands on what the network said, page by page."""

    def __call__(
        self, outputs: Sequence[dict[str, Any]], pages: Sequence[dict[str, Any]], **options: object
    ) -> list[Any]:
        del options
        return list(zip(outputs, pages, strict=True))


@dataclass(frozen=True, slots=True)
class BoxRules:
    """How the network's boxes become regions, as PaddleX takes it: classes by id.

    Attributes:
        threshold: least score; a float, or one for each class.
        nms: whether boxes that repeat another go.
        unclip_ratio: factors on width and height, or for each class; None leaves boxes as they are.
        merge_mode: `large`, `small` or `union`, or for each class; None is `union`.
        shape_mode: `rect`, `quad`, `poly` or `auto`.
    """

    threshold: float | dict[int, float]
    nms: bool
    unclip_ratio: tuple[float, float] | dict[int, tuple[float, float]] | None
    merge_mode: str | dict[int, str] | None
    shape_mode: str


class LayoutModel:
    """PP-DocLayoutV2 or V3: the network and what follows it can be had apart."""

    def __init__(self, place: ModelPlace) -> None:
        self._predictor = load(place)
        # The runner's predictor and that of transformers have different names for it.
        name = "post_op" if hasattr(self._predictor, "post_op") else "layout_postprocess"
        self._postprocess = getattr(self._predictor, name)
        setattr(self._predictor, name, _NoPostprocessing())

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes; a class's place is its id."""
        return tuple(self._postprocess.labels)

    def run(self, pages: Sequence["Page"]) -> list[Any]:
        """Run the network once for all of them; returns what `read_boxes` takes for each page.

        Args:
            pages: HxWx3 uint8 BGR, of any sizes.
        """
        found: list[Any] = self._predictor.process(batch_of(pages), threshold=0.0)["boxes"]
        return found

    def read_boxes(self, raw: Any, rules: BoxRules) -> list[dict[str, Any]]:
        """The regions of one page in reading order, in PaddleX's form; `raw` can be read once."""
        output, page = raw
        if not len(output["boxes"]):
            return []
        has_outlines = "masks" in output or "polygon_points" in output
        (boxes,) = self._postprocess(
            [output],
            [page],
            threshold=rules.threshold,
            layout_nms=rules.nms,
            layout_unclip_ratio=rules.unclip_ratio,
            layout_merge_bboxes_mode=rules.merge_mode,
            layout_shape_mode=rules.shape_mode if has_outlines else "rect",
            # Overlaps are filtered later, as in PaddleX's pipeline, which wants all regions for its pictures.
            filter_overlap_boxes=False,
            skip_order_labels=None,
        )
        return list(boxes)


class OrientationModel:
    """PP-LCNet_x1_0_doc_ori: how a page must be turned to be upright."""

    def __init__(self, place: ModelPlace) -> None:
        self._predictor = load(place)

    def find_angles(self, pages: Sequence["Page"]) -> list[int]:
        """Degrees against the clock, 0, 90, 180 or 270, from one run for all pages."""
        labels = self._predictor.process(batch_of(pages))["label_names"]
        return [int(best[0]) for best in labels]


class UnwarpingModel:
    """UVDoc: a photographed page, flat."""

    def __init__(self, place: ModelPlace) -> None:
        self._predictor = load(place)

    def flatten(self, page: "Page") -> "Page":
        """The page in its own size, BGR."""
        (flat,) = self._predictor.process(batch_of([page]))["doctr_img"]
        # PaddleX answers RGB, and its pipeline turns the channels once more.
        return np.ascontiguousarray(flat[:, :, ::-1])
