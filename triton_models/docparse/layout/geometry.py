"""Rectangles on a page: x1, y1, x2, y2 in pixels, y downwards."""

from collections.abc import Iterable

from docparse.layout.detector import Box


def width(box: Box) -> float:
    """Width of the box in pixels."""
    return box[2] - box[0]


def height(box: Box) -> float:
    """Height of the box in pixels."""
    return box[3] - box[1]


def area(box: Box) -> float:
    """Area of the box in square pixels."""
    return max(0.0, width(box)) * max(0.0, height(box))


def shared_width(a: Box, b: Box) -> float:
    """Length of the overlap on the x axis; negative is the gap between them."""
    return min(a[2], b[2]) - max(a[0], b[0])


def shared_height(a: Box, b: Box) -> float:
    """Length of the overlap on the y axis; negative is the gap between them."""
    return min(a[3], b[3]) - max(a[1], b[1])


def intersection(a: Box, b: Box) -> float:
    """Area that both boxes cover."""
    return max(0.0, shared_width(a, b)) * max(0.0, shared_height(a, b))


def coverage(inner: Box, outer: Box) -> float:
    """Share of `inner` that lies within `outer`, 0..1; 0 for an empty box."""
    whole = area(inner)
    return intersection(inner, outer) / whole if whole > 0 else 0.0


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0..1."""
    both = intersection(a, b)
    union = area(a) + area(b) - both
    return both / union if union > 0 else 0.0


def bounding(boxes: Iterable[Box]) -> Box:
    """Smallest box round all of them; there must be at least one."""
    x1s, y1s, x2s, y2s = zip(*boxes, strict=True)
    return (min(x1s), min(y1s), max(x2s), max(y2s))


def grown(box: Box, by: float) -> Box:
    """Move every side outwards by so many pixels."""
    return (box[0] - by, box[1] - by, box[2] + by, box[3] + by)


def clipped(box: Box, page_width: float, page_height: float) -> Box:
    """Keep the part that is on the page."""
    x1, x2 = (min(max(v, 0.0), page_width) for v in (box[0], box[2]))
    y1, y2 = (min(max(v, 0.0), page_height) for v in (box[1], box[3]))
    return (x1, y1, x2, y2)
