"""The drawn lines of a table, and straightening a leaning one by them."""

from dataclasses import dataclass

import cv2
import numpy as np

from vlm_server.embedded.ink import Mask
from vlm_server.embedded.models import Image

_SNAP = 6  # pixels: pieces of one drawn line, or both edges of it, lie within
_MAX_LEAN_DEGREES = 4.0
_LEAN_STEP_DEGREES = 0.25
_FILLED = 0.55  # of a bar's area is ink; letters leave more than that
_LEAN_SIDE = 500  # pixels: a small copy shows the lean as well
_NOTICEABLE_LEAN = 0.2  # degrees: below, rules stay within their own thickness


@dataclass(frozen=True, slots=True)
class Rule:
    """A line along one axis: where it lies on the other, and its half-open extent; pixels."""

    at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a picture; `thickness` is that of the thickest."""

    across: list[Rule]
    down: list[Rule]
    thickness: int


def find_rules(mask: Mask, text_height: float) -> Rules:
    """Find straight lines much longer than letters. `text_height` in pixels."""
    height, width = mask.shape
    shortest_across = int(max(2.5 * text_height, 0.04 * width, 20))
    shortest_down = int(max(1.6 * text_height, 20))
    across, thick_across = _find(mask, shortest_across, text_height)
    down, thick_down = _find(np.ascontiguousarray(mask.T), shortest_down, text_height)
    # Stems of big letters and edges of pictures are no rules: a rule down meets a rule across, or is long.
    if across:
        down = [rule for rule in down if rule.end - rule.start > 0.5 * height or _meets(rule, across)]
    return Rules(_snap(across), _snap(down), max(thick_across, thick_down, 1))


def flip_bars(mask: Mask, text_height: float) -> Mask:
    """Turn filled bars with light writing into dark writing in a frame."""
    side = max(4, round(0.45 * text_height))  # no letter is solid over this much
    solid = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    joined = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((1, max(3, round(4 * text_height))), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    flipped = mask
    for index in range(1, count):
        left, top, width, height, _ = (int(value) for value in stats[index])
        # Closing reaches past the bar where the picture ends; its true ends are where it is solid.
        solid_columns = np.flatnonzero(solid[top : top + height, left : left + width].any(axis=0))
        left, width = left + int(solid_columns[0]), int(np.ptp(solid_columns)) + 1
        if width < 4 * text_height or height < 1.2 * text_height:
            continue
        bar = (slice(top, top + height), slice(left, left + width))
        if int((mask[bar] > 0).sum()) < _FILLED * width * height:
            continue
        if flipped is mask:
            flipped = mask.copy()
        flipped[bar] = cv2.bitwise_not(mask[bar])
        cv2.rectangle(flipped, (left, top), (left + width - 1, top + height - 1), 255, 2)
    return flipped


def erase_rules(mask: Mask, rules: Rules) -> Mask:
    """The ink without the rules."""
    clean = mask.copy()
    reach = rules.thickness // 2 + 2
    for rule in rules.across:
        clean[max(0, rule.at - reach) : rule.at + reach + 1, max(0, rule.start - 2) : rule.end + 2] = 0
    for rule in rules.down:
        clean[max(0, rule.start - 2) : rule.end + 2, max(0, rule.at - reach) : rule.at + reach + 1] = 0
    return clean


def straighten(image: Image, mask: Mask) -> Image:
    """Turn the picture so that its rules and lines of text lie flat."""
    angle = _lean(mask)
    if abs(angle) < _NOTICEABLE_LEAN:
        return image
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    # The corners become paper: repeating the border would smear what touches it into marks.
    paper = [float(value) for value in np.median(image[mask == 0], axis=0)]
    turned: Image = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=paper)
    return turned


def _lean(mask: Mask) -> float:
    """Degrees by which to turn so that the row profile is sharpest."""
    scale = min(1.0, _LEAN_SIDE / max(mask.shape))
    small = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape

    def sharpness(angle: float) -> float:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        profile = cv2.warpAffine(small, turn, (width, height)).sum(axis=1, dtype=np.float64)
        return float((np.diff(profile) ** 2).sum())

    steps = int(_MAX_LEAN_DEGREES / _LEAN_STEP_DEGREES)
    angles = [step * _LEAN_STEP_DEGREES for step in range(-steps, steps + 1)]
    best = max(angles, key=lambda angle: (sharpness(angle), -abs(angle)))
    # Resampling alone blurs; a real lean is clearly sharper when undone.
    return best if sharpness(best) > 1.1 * sharpness(0.0) else 0.0


def _find(mask: Mask, shortest: int, text_height: float) -> tuple[list[Rule], int]:
    kernel = np.ones((1, shortest), np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    count, _, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    rules, thickest = [], 1
    for index in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[index])
        if area / width > max(6.0, 0.5 * text_height):  # a picture, or a bar too small to flip
            continue
        thickest = max(thickest, round(area / width))
        rules.append(Rule(top + height // 2, left, left + width))
    return rules, thickest


def _meets(rule: Rule, across: list[Rule]) -> bool:
    return any(
        other.start - _SNAP <= rule.at <= other.end + _SNAP
        and rule.start - _SNAP <= other.at <= rule.end + _SNAP
        for other in across
    )


def _snap(rules: list[Rule]) -> list[Rule]:
    """Give rules of the same line the same place, and join those that touch."""
    snapped: list[Rule] = []
    group: list[Rule] = []
    for rule in sorted(rules, key=lambda item: item.at):
        if group and rule.at - group[-1].at > _SNAP:
            snapped += _join(group)
            group = []
        group.append(rule)
    return snapped + _join(group) if group else snapped


def _join(group: list[Rule]) -> list[Rule]:
    at = round(sum(rule.at for rule in group) / len(group))
    joined: list[Rule] = []
    for rule in sorted(group, key=lambda item: item.start):
        if joined and rule.start - joined[-1].end <= _SNAP:
            joined[-1] = Rule(at, joined[-1].start, max(joined[-1].end, rule.end))
        else:
            joined.append(Rule(at, rule.start, rule.end))
    return joined
