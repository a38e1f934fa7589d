"""Reading order from boxes alone: an XY-cut that knows columns, spanning titles and leaning pages."""

from collections.abc import Callable, Sequence

from docparse.layout.detector import Box
from docparse.layout.geometry import bounding, height

FIRST_LABELS = frozenset({"header", "header_image"})
LAST_LABELS = frozenset({"footer", "footer_image", "footnote"})
SHRINK = 0.006  # of the page: overlaps up to twice this do not bridge a gap
TALL_COLUMNS = 0.2  # of the page's height: columns higher than this are read one after the other
Cut = Callable[[Sequence[int]], list[list[int]]]


def reading_order(
    boxes: Sequence[Box], labels: Sequence[str], page_width: float, page_height: float, slope: float = 0.0
) -> list[int]:
    """Return the indices of the boxes in the order of reading.

    Running heads come first, running feet last, page numbers where they stand; the rest goes down the
    columns, broken by whatever spans them. Equal boxes keep a fixed order whatever the order of the input.

    Args:
        boxes: Pixels.
        labels: PP-DocLayoutV2's, one per box.
        page_width: Pixels.
        page_height: Pixels.
        slope: Tangent of the page's lean, positive when lines fall to the right.
    """
    upright = [_upright(box, slope) for box in boxes]
    fixed = sorted(range(len(boxes)), key=lambda i: (upright[i], labels[i]))
    first = [i for i in fixed if _is_first(labels[i], upright[i], page_height)]
    last = [i for i in fixed if i not in first and (labels[i] in LAST_LABELS or labels[i] == "number")]
    body = [i for i in fixed if i not in first and i not in last]
    plan = _Plan(upright, page_width, page_height)
    return [*plan.down(first), *plan.order(body), *plan.down(last)]


def _upright(box: Box, slope: float) -> Box:
    """Turn the page back about its origin, for small angles: the middle keeps its height on its own line."""
    shift = -slope * (box[0] + box[2]) / 2
    # A leaning line of text has a box that is too tall by its rise; half of that comes off above and below.
    rise = min(abs(slope) * (box[2] - box[0]), 0.8 * (box[3] - box[1])) / 2
    return (box[0], box[1] + shift + rise, box[2], box[3] + shift - rise)


def _is_first(label: str, box: Box, page_height: float) -> bool:
    return label in FIRST_LABELS or (label == "number" and box[3] < 0.5 * page_height)


class _Plan:
    """The boxes of one page, and the cuts through them."""

    def __init__(self, boxes: list[Box], page_width: float, page_height: float) -> None:
        self._boxes = boxes
        self._shrink = (SHRINK * page_width, SHRINK * page_height / 2)
        self._tall = TALL_COLUMNS * page_height

    def down(self, indices: Sequence[int]) -> list[int]:
        """Rows from top to bottom, each from left to right."""
        return [i for row in self._rows(indices) for i in sorted(row, key=lambda i: self._boxes[i])]

    def order(self, indices: Sequence[int]) -> list[int]:
        """Cut into columns or rows, and each of these again."""
        if len(indices) < 2:
            return list(indices)
        columns = self._columns(indices)
        if len(columns) > 1 and self._reads_in_columns(columns):
            return [i for column in columns for i in self.order(column)]
        groups = self._sections(self._rows(indices))
        if len(groups) == 1 and len(columns) > 1:
            return self._by_rows(indices, columns)
        if len(groups) == 1:
            return sorted(indices, key=lambda i: (self._boxes[i][1], self._boxes[i]))
        return [i for group in groups for i in self.order(group)]

    def _by_rows(self, indices: Sequence[int], columns: list[list[int]]) -> list[int]:
        """A low group with a gap, such as two addresses side by side: by rows, or else by columns."""
        rows = self._rows(indices)
        parts = rows if len(rows) > 1 else columns
        return [i for part in parts for i in self.order(part)]

    def _reads_in_columns(self, columns: list[list[int]]) -> bool:
        """Tall columns do; low ones beside each other are rows of something, unless there is but one row."""
        everything = [i for column in columns for i in column]
        tall = height(bounding(self._boxes[i] for i in everything)) > self._tall
        return tall or len(self._rows(everything)) == 1

    def _sections(self, rows: list[list[int]]) -> list[list[int]]:
        """Put rows together where one gap between columns runs through all of them, the highest run first.

        The highest, because a short centred line above two columns leaves a gap with the headings below it
        too, which is not the gap of the columns.
        """
        if not rows:
            return []
        best, start = (0, 1), 0
        for end in range(1, len(rows) + 1):
            # A part of a run with a common gap has that gap as well, so the start only ever moves on.
            while end - start > 1 and len(self._columns(_flat(rows[start:end]))) == 1:
                start += 1
            if self._extent(rows[start:end]) > self._extent(rows[slice(*best)]):
                best = (start, end)
        first, last = best
        if last - first == 1:
            return rows
        return [*self._sections(rows[:first]), _flat(rows[first:last]), *self._sections(rows[last:])]

    def _extent(self, rows: list[list[int]]) -> float:
        """Height of a run of rows; nothing for a row by itself, which is no run."""
        return height(bounding(self._boxes[i] for i in _flat(rows))) if len(rows) > 1 else 0.0

    def _columns(self, indices: Sequence[int]) -> list[list[int]]:
        return self._cut(indices, 0)

    def _rows(self, indices: Sequence[int]) -> list[list[int]]:
        return self._cut(indices, 1)

    def _cut(self, indices: Sequence[int], axis: int) -> list[list[int]]:
        """Cut wherever nothing stands across, looking along one axis (0 for x)."""
        parts: list[list[int]] = []
        reached = float("-inf")
        for i in sorted(indices, key=lambda i: (self._boxes[i][axis], self._boxes[i])):
            low, high = self._boxes[i][axis], self._boxes[i][axis + 2]
            give = min(self._shrink[axis], (high - low) / 4)
            if low + give >= reached:
                parts.append([])
            parts[-1].append(i)
            reached = max(reached, high - give)
        return parts


def _flat(rows: list[list[int]]) -> list[int]:
    return [i for row in rows for i in row]
