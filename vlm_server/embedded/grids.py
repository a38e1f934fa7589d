"""Where a table's cells are: from its rules where it has them, else from how its text is spaced."""

import itertools
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from vlm_server.embedded.ink import Mask, capital_height, find_ink, runs
from vlm_server.embedded.models import Image
from vlm_server.embedded.rules import Rule, Rules, erase_rules, find_rules, flip_bars, straighten

_RULED = 0.6  # of a boundary's length must be drawn for it to divide two cells
_WORD_GAP = 0.8  # of a row's height: words stand closer, columns wider apart
_EDGE = 8  # pixels between the outermost rule and the ink that still belongs to its cell


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its place in the grid, and the half-open pixel box to read (None: known to be empty)."""

    row: int
    column: int
    rows: int
    columns: int
    box: tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells that cover `rows` x `columns` without overlap; `image` is what they lie on, straightened."""

    rows: int
    columns: int
    cells: list[Cell]
    image: Image


def find_grid(image: Image) -> Grid | None:
    """The table's grid, or None for a blank picture."""
    mask = find_ink(image)
    if mask is None:
        return None
    straight = straighten(image, mask)
    if straight is not image:
        image = straight
        mask = find_ink(image)
        if mask is None:
            return None
    text_height = _text_height(mask)
    mask = flip_bars(mask, text_height)
    rules = find_rules(mask, text_height)
    text = _without_fragments(erase_rules(mask, rules), rules, text_height)
    if not text.any():
        return None
    xs = _bounds(rules.down, _extent(text.any(axis=0)), image.shape[1])
    ys = _bounds(rules.across, _extent(text.any(axis=1)), image.shape[0])
    if len(xs) >= 3 and len(ys) >= 2:
        ys = _split_bands(text, xs, ys, text_height)
        return _ruled_grid(image, _with_unruled_heads(text, rules, xs, ys, text_height), xs, ys)
    return _spaced_grid(image, text, ys if len(ys) >= 5 else None, text_height)


def _without_fragments(text: Mask, rules: Rules, text_height: float) -> Mask:
    """Clear what stands outside the outermost rules and is too small for a line: a neighbour's edge."""
    if len(rules.across) < 2:
        return text
    top, bottom = rules.across[0].at, rules.across[-1].at
    for part in (text[:top], text[bottom:]):
        if part.any():
            start, end = _extent(part.any(axis=1))
            if end - start < 0.7 * text_height:
                part[:] = 0
    return text


def _text_height(mask: Mask) -> float:
    """Height of the letters, rules left out."""
    return min(capital_height(mask), mask.shape[0] / 2)


def _extent(flags: npt.NDArray[np.bool_]) -> tuple[int, int]:
    found = np.flatnonzero(flags)
    return int(found[0]), int(found[-1]) + 1


def _bounds(rules: list[Rule], extent: tuple[int, int], size: int) -> list[int]:
    """Edges of columns (or rows): the rules, and the outermost ink where no rule closes the table."""
    places = sorted({rule.at for rule in rules})
    if not places:
        return []
    if extent[0] < places[0] - _EDGE:
        places.insert(0, max(0, extent[0] - 4))
    if extent[1] > places[-1] + _EDGE:
        places.append(min(size - 1, extent[1] + 4))
    return places


def _split_bands(text: Mask, xs: list[int], ys: list[int], text_height: float) -> list[int]:
    """Divide a tall band whose columns all hold the same lines at the same heights: rows without rules."""
    if len(ys) > 4:  # more than three bands: the rows are ruled
        return ys
    result = [ys[0]]
    for top, bottom in itertools.pairwise(ys):
        counts = [
            len(_line_runs(text[top:bottom, left:right], text_height))
            for left, right in itertools.pairwise(xs)
        ]
        lines = _line_runs(text[top:bottom, xs[0] : xs[-1]], text_height)
        filled = [count for count in counts if count]
        if len(lines) >= 3 and len(filled) >= 2 and sorted(filled)[-2] == len(lines):
            result += [top + (above[1] + below[0]) // 2 for above, below in itertools.pairwise(lines)]
        result.append(bottom)
    return result


def _line_runs(text: Mask, text_height: float) -> list[tuple[int, int]]:
    return [run for run in runs(text.any(axis=1)) if run[1] - run[0] >= 0.4 * text_height]


def _ruled_grid(image: Image, rules: Rules, xs: list[int], ys: list[int]) -> Grid:
    """Elementary cells between rules, joined where the rule between two is not drawn."""
    rows, columns = len(ys) - 1, len(xs) - 1
    known_ys, known_xs = {rule.at for rule in rules.across}, {rule.at for rule in rules.down}

    def open_below(row: int, column: int) -> bool:
        at = ys[row + 1]
        return at in known_ys and not _drawn(rules.across, at, xs[column], xs[column + 1])

    def open_right(row: int, column: int) -> bool:
        at = xs[column + 1]
        return at in known_xs and not _drawn(rules.down, at, ys[row], ys[row + 1])

    owner: dict[tuple[int, int], tuple[int, int]] = {}
    cells = []
    inset = rules.thickness // 2 + 2
    for row in range(rows):
        for column in range(columns):
            if (row, column) in owner:
                continue
            wide = 1
            while (
                column + wide < columns
                and (row, column + wide) not in owner
                and open_right(row, column + wide - 1)
            ):
                wide += 1
            tall = 1
            while row + tall < rows and all(
                open_below(row + tall - 1, column + across)
                and (across == 0 or open_right(row + tall, column + across - 1))
                for across in range(wide)
            ):
                tall += 1
            for down in range(tall):
                for across in range(wide):
                    owner[row + down, column + across] = (row, column)
            box = (xs[column] + inset, ys[row] + inset, xs[column + wide] - inset, ys[row + tall] - inset)
            usable = box[2] - box[0] > 2 and box[3] - box[1] > 2
            cells.append(Cell(row, column, tall, wide, box if usable else None))
    return Grid(rows, columns, cells, image)


def _with_unruled_heads(text: Mask, rules: Rules, xs: list[int], ys: list[int], text_height: float) -> Rules:
    """Add the rules missing in rows where every column has its own text all the same, as heads often do."""
    down = list(rules.down)
    for top, bottom in itertools.pairwise(ys):
        missing = [x for x in xs[1:-1] if not _drawn(rules.down, x, top, bottom)]
        pieces = _pieces(text, 0, (top, bottom), text_height)
        crossed = any(piece.left + 2 < x < piece.right - 2 for piece in pieces for x in missing)
        columns = {int(np.searchsorted(xs, (piece.left + piece.right) / 2)) for piece in pieces}
        if missing and not crossed and len(pieces) == len(columns) == len(xs) - 1:
            down += [Rule(x, top, bottom) for x in missing]
    return replace(rules, down=down)


def _drawn(rules: list[Rule], at: int, start: int, end: int) -> bool:
    covered = sum(max(0, min(end, rule.end) - max(start, rule.start)) for rule in rules if rule.at == at)
    return covered >= _RULED * (end - start)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text in one row."""

    row: int
    left: int
    right: int
    top: int
    bottom: int


def _spaced_grid(image: Image, text: Mask, ys: list[int] | None, text_height: float) -> Grid | None:
    """Rows from rules or from the lines of text, columns from the white between pieces."""
    bands = list(itertools.pairwise(ys)) if ys else _row_bands(text, text_height)
    pieces = [piece for row, band in enumerate(bands) for piece in _pieces(text, row, band, text_height)]
    if not pieces:
        return None
    rows = sorted({piece.row for piece in pieces})
    columns = _columns(pieces, len(bands))
    taken: dict[tuple[int, int], Cell] = {}
    for piece in sorted(pieces, key=lambda item: (item.row, item.left)):
        first, last = _touched(piece, columns)
        row = rows.index(piece.row)
        box = (piece.left, piece.top, piece.right, piece.bottom)
        other = taken.get((row, first))
        if other is not None and other.box is not None:  # two pieces in one cell: a wide gap inside it
            first = other.column
            last = max(last, first + other.columns - 1)
            box = (other.box[0], min(other.box[1], box[1]), box[2], max(other.box[3], box[3]))
        cell = Cell(row, first, 1, last - first + 1, box)
        for column in range(first, last + 1):
            taken[row, column] = cell
    cells = list({(cell.row, cell.column): cell for cell in taken.values()}.values())
    covered = {(cell.row, cell.column + i) for cell in cells for i in range(cell.columns)}
    cells += [
        Cell(row, column, 1, 1, None)
        for row in range(len(rows))
        for column in range(len(columns))
        if (row, column) not in covered
    ]
    return Grid(len(rows), len(columns), cells, image)


def _row_bands(text: Mask, text_height: float) -> list[tuple[int, int]]:
    """Lines of text; marks below half a letter's height belong to the nearer line."""
    found = runs(text.any(axis=1))
    lines = [run for run in found if run[1] - run[0] >= 0.5 * text_height] or found
    edges = [0, *((a[1] + b[0]) // 2 for a, b in itertools.pairwise(lines)), text.shape[0]]
    return list(itertools.pairwise(edges))


def _pieces(text: Mask, row: int, band: tuple[int, int], text_height: float) -> list[_Piece]:
    """Stretches of ink in a band with less than a column's gap inside each."""
    part = text[band[0] : band[1]]
    gap = max(3, round(_WORD_GAP * 1.3 * text_height)) | 1  # odd: an even kernel would shift
    joined = cv2.morphologyEx(
        np.pad(part.any(axis=0).astype(np.uint8), gap)[None], cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8)
    )[0, gap:-gap]
    pieces = []
    for left, right in runs(joined > 0):
        ink = part[:, left:right]
        if int((ink > 0).sum()) < 6:  # a speck
            continue
        top, bottom = _extent(ink.any(axis=1))
        reach = max(3, round(0.25 * text_height))
        pieces.append(
            _Piece(
                row,
                max(0, left - reach),
                min(text.shape[1], right + reach),
                max(0, band[0], band[0] + top - reach),
                min(band[1], band[0] + bottom + reach),
            )
        )
    return pieces


def _columns(pieces: list[_Piece], bands: int) -> list[tuple[int, int]]:
    """Columns as the rows with most pieces show them; rows with fewer have spans or holes."""
    counts = [sum(piece.row == row for piece in pieces) for row in range(bands)]
    filled = sorted(count for count in counts if count)
    usual = filled[len(filled) // 2]
    while usual > 1:
        members = [piece for piece in pieces if counts[piece.row] >= usual]
        columns = _merge(members)
        if len(columns) >= usual:
            break
        usual -= 1  # the fullest rows disagree: ask more of them
    else:
        columns = _merge([piece for piece in pieces if counts[piece.row] >= filled[len(filled) // 2]])
    for piece in sorted(pieces, key=lambda item: item.left):
        if not any(piece.left < right and piece.right > left for left, right in columns):
            columns = sorted([*columns, (piece.left, piece.right)])
    return columns


def _merge(pieces: list[_Piece]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for piece in sorted(pieces, key=lambda item: item.left):
        if merged and piece.left < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], piece.right))
        else:
            merged.append((piece.left, piece.right))
    return merged


def _touched(piece: _Piece, columns: list[tuple[int, int]]) -> tuple[int, int]:
    """First and last column that the piece lies over; a corner of a column does not count."""
    shares = [
        max(0, min(piece.right, right) - max(piece.left, left))
        / max(1, min(right - left, piece.right - piece.left))
        for left, right in columns
    ]
    over = [index for index, share in enumerate(shares) if share >= 0.5]
    if not over:
        best = max(range(len(columns)), key=lambda index: shares[index])
        return best, best
    return over[0], over[-1]
