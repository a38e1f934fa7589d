"""The two networks of RapidOCR's wheel, run so that many threads can share them and any step can be the last.

`RapidOCR.__call__` does detection and recognition in one go; a caller that went away would still be paid for.
Here each network call is one step. Pre- and post-processing follow RapidOCR 3.10 and use its code.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
import rapidocr
from rapidocr.ch_ppocr_det.utils import DBPostProcess
from rapidocr.utils.process_img import get_rotate_crop_image

Image = npt.NDArray[np.uint8]  # HxWx3, BGR
Quad = npt.NDArray[np.float32]  # 4x2 pixels: top left, top right, bottom right, bottom left of the text

_LINE_HEIGHT = 48  # the recogniser's fixed input height, pixels
_WIDTH_STEP = 32  # input widths are rounded up to this: few shapes, little padding
_MIN_WIDTH = 160  # pixels; a word alone in a narrower input is read less surely (0.99 against 0.94)
_MAX_WIDTH = 3200  # about 200 words; a wider strip is squeezed, which bounds the memory of one call
_DETECTOR_STEP = 32  # the detector's stride
_DETECTOR_MARGIN = 16  # text that touches the border is found badly
_TALL = 1.5  # a box taller than this many widths is vertical text, or one narrow character
_MAYBE_UPRIGHT = 5.0  # up to this, both ways are read and the surer one is kept


@dataclass(frozen=True, slots=True)
class Reading:
    """What the recogniser says about one line: its text and mean confidence, 0 to 1."""

    text: str
    score: float


class TextModels:
    """Detector and recogniser (PP-OCRv6 small). Thread-safe; every call uses one core.

    One core per call and as many calls as cores is faster for many small images than the other way round, and
    does not slow down when something else wants a core.
    """

    def __init__(self) -> None:
        folder = Path(rapidocr.__file__).parent / "models"
        self._detector = _open(folder / "PP-OCRv6_det_small.onnx")
        self._recogniser = _open(folder / "PP-OCRv6_rec_small.onnx")
        characters = self._recogniser.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = np.array(["", *characters, " "])  # 0 is CTC's blank
        self._boxes = DBPostProcess(
            thresh=0.3, box_thresh=0.5, max_candidates=1000, unclip_ratio=1.6, use_dilation=True
        )

    def warm_up(self) -> None:
        """Run both networks once, so that the first request is not the slow one."""
        self.detect(np.full((64, 320, 3), 255, np.uint8), scale=1.0)
        self.read(np.full((_LINE_HEIGHT, 320, 3), 255, np.uint8))

    def detect(self, image: Image, *, scale: float) -> list[Quad]:
        """Find text lines.

        Args:
            image: the picture.
            scale: it is resized by this before the network sees it; cost goes with its square.

        Returns:
            One quad per line in pixels of `image`, in no order.
        """
        height, width = image.shape[:2]
        scaled = cv2.resize(
            image,
            (max(8, round(width * scale)), max(8, round(height * scale))),
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        )
        padded = _pad(scaled)
        tensor = np.ascontiguousarray(_normalise(padded).transpose(2, 0, 1)[None])
        heat = self._detector.run(None, {"x": tensor})[0]
        quads, _ = self._boxes(heat, padded.shape[:2])
        ratio = np.array([width / scaled.shape[1], height / scaled.shape[0]], np.float32)
        limit = np.array([width, height], np.float32)
        return [
            np.clip((np.asarray(quad, np.float32) - _DETECTOR_MARGIN) * ratio, 0, limit) for quad in quads
        ]

    def read_quad(self, image: Image, quad: Quad) -> Reading:
        """Read the line inside `quad`, turning vertical text."""
        crop = cut(image, quad)
        height, width = crop.shape[:2]
        if height == 0 or width == 0:
            return Reading("", 0.0)
        if height < _TALL * width:
            return self.read(crop)
        turned = self.read(np.ascontiguousarray(np.rot90(crop)))
        if height > _MAYBE_UPRIGHT * width:
            return turned
        upright = self.read(crop)
        return upright if upright.score >= turned.score else turned

    def read(self, line: Image) -> Reading:
        """Read one horizontal line (HxWx3, H and W at least 1)."""
        height, width = line.shape[:2]
        text_width = min(_MAX_WIDTH, max(1, round(_LINE_HEIGHT * width / height)))
        full_width = max(_MIN_WIDTH, -(-text_width // _WIDTH_STEP) * _WIDTH_STEP)
        resized = cv2.resize(line, (text_width, _LINE_HEIGHT))
        tensor = np.zeros((1, 3, _LINE_HEIGHT, full_width), np.float32)
        tensor[0, :, :, :text_width] = _normalise(resized).transpose(2, 0, 1)
        scores = self._recogniser.run(None, {"x": tensor})[0][0]
        best = scores.argmax(axis=1)
        keep = best != 0
        keep[1:] &= best[1:] != best[:-1]
        if not keep.any():
            return Reading("", 0.0)
        confidence = scores[np.flatnonzero(keep), best[keep]]
        return Reading("".join(self._characters[best[keep]]), float(confidence.mean()))


def cut(image: Image, quad: Quad) -> Image:
    """The part of `image` inside `quad`, straightened; a view when the quad is upright."""
    low, high = quad.min(axis=0), quad.max(axis=0)
    if np.abs(quad - [low, [high[0], low[1]], high, [low[0], high[1]]]).max() <= 1:
        (x1, y1), (x2, y2) = np.floor(low).astype(int), np.ceil(high).astype(int)
        return image[y1:y2, x1:x2]
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    if max(sides[0], sides[2]) < 1 or max(sides[1], sides[3]) < 1:
        return image[:0]
    crop: Image = get_rotate_crop_image(image, quad)
    # RapidOCR turns what is tall; `read_quad` decides that itself.
    if max(sides[1], sides[3]) >= _TALL * max(sides[0], sides[2]):
        crop = np.rot90(crop, -1)
    return crop


def _open(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Both keep memory per input shape and never give it back; images come in every shape.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _normalise(image: Image) -> npt.NDArray[np.float32]:
    scaled: npt.NDArray[np.float32] = image.astype(np.float32)
    scaled *= 1 / 127.5
    scaled -= 1.0
    return scaled


def _pad(image: Image) -> Image:
    """A margin on every side, and more at right and bottom up to the detector's stride."""
    height, width = image.shape[:2]
    right = -(width + _DETECTOR_MARGIN) % _DETECTOR_STEP
    bottom = -(height + _DETECTOR_MARGIN) % _DETECTOR_STEP
    right = right if right >= _DETECTOR_MARGIN // 2 else right + _DETECTOR_STEP
    bottom = bottom if bottom >= _DETECTOR_MARGIN // 2 else bottom + _DETECTOR_STEP
    padded: Image = cv2.copyMakeBorder(
        image, _DETECTOR_MARGIN, bottom, _DETECTOR_MARGIN, right, cv2.BORDER_REPLICATE
    )
    return padded
