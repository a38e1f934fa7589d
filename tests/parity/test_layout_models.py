"""PaddleX's own layout predictor in its pipeline, our engine in ours, one network below both: the same answers."""

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.docparse.layout.painted import LEANING, NESTED, PAGE, TWICE, V2, V3
from tests.networks.palette import Painted, paint, tiff_of
from tests.parity.comparing import assert_same
from tests.parity.samples import IMAGE, Sample
from tests.parity.services import Models, ask_ours, ask_paddlex

PAGES = [
    paint([*PAGE, *TWICE, *NESTED]),
    paint([LEANING, Painted("text", (80, 40, 720, 120)), Painted("seal", (80, 640, 240, 760))]),
    paint([]),
]
OPTIONS = {
    "default": {},
    "rectangles": {"layoutShapeMode": "rect"},
    "quadrangles": {"layoutShapeMode": "quad"},
    "polygons": {"layoutShapeMode": "poly"},
    "low threshold": {"layoutThreshold": 0.1},
    "grown": {"layoutUnclipRatio": 1.1},
    "outer": {"layoutMergeBboxesMode": "large"},
    "inner, polygons": {"layoutMergeBboxesMode": "small", "layoutShapeMode": "poly"},
    "not merged": {"mergeLayoutBlocks": False, "visualize": False},
}


class RealLayout(Models):
    """The layout models of both services on one network; the VLM is a stub."""

    def __init__(self, predictor: Any, detector: Any) -> None:
        super().__init__([])
        self._predictor, self._detector = predictor, detector

    def __call__(self, images: list[np.ndarray], **options: Any) -> Iterator[Any]:
        yield from self._predictor(images, **options)

    async def detect(self, image: np.ndarray, options: Any) -> Any:
        return (await asyncio.to_thread(self._detector.detect, [image], [options]))[0]


@pytest.mark.parametrize("model", [V2, V3])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
async def test_a_painted_document_is_answered_as_paddlex_does(
    pool, paddlex_predictors, paddlex_detectors, model, options
):
    models = RealLayout(paddlex_predictors[model], paddlex_detectors[model])
    body = Sample(tiff_of(PAGES), IMAGE, []).body(**options)
    theirs = await ask_paddlex(models, body)
    answer = assert_same(await ask_ours(models, body, pool), theirs)
    assert sorted(models.asked) == sorted(models.vlm.asked)
    first, second, empty = (each["prunedResult"] for each in answer["result"]["layoutParsingResults"])
    assert len(first["parsing_res_list"]) >= 4
    assert empty["parsing_res_list"] == []
    has_outlines = model == V3 and options.get("layoutShapeMode") != "rect"
    assert all(("polygon_points" in box) == has_outlines for box in second["layout_det_res"]["boxes"])
