"""Chooses among the network's candidates, so that every line of text belongs to one region at most.

The network names one place several times: a heading as text and as title, a table as figure too, a paragraph
and half of it. Boxes alone do not tell which of two is redundant; the lines of text they would claim do.
"""

from collections.abc import Iterable

from docparse.layout.detector import LayoutOptions, per_class
from docparse.layout.geometry import area, coverage, height, intersection, iou, width
from docparse.layout.lines import TextLine, TextLines
from docparse.layout.picodet import Candidate
from docparse.layout.regions import CONTAINERS, Region, core, downwards

# What a class of the network may become. Options are given in the terms of the right side.
BECOMES: dict[str, tuple[str, ...]] = {
    "text": ("text", "formula_number"),
    "title": ("paragraph_title", "doc_title"),
    "figure": ("image",),
    "figure_caption": ("figure_title",),
    "table": ("table",),
    "table_caption": ("figure_title",),
    "header": ("header", "number"),
    "footer": ("footer", "number"),
    "reference": ("reference_content",),
    "equation": ("display_formula",),
}
# Below 0.5 the network is right more often than not when nothing surer claims the lines; a wrong figure or
# table swallows text, so these must be surer.
LEAST_SCORES = dict.fromkeys(BECOMES, 0.3) | {"figure": 0.45, "table": 0.45, "equation": 0.5}
LOWEST_THRESHOLD = 0.05  # a lower request is answered as if it were this: below lies only noise
OWN_LINE = 0.5  # share of a line's core that must lie in a box for the box to claim it
# Share of a figure that is lines of text. A drawing that fills the page has a few labels; with more, it is
# a page of print in unusual colours. A smaller one may be full of words, as a screenshot is.
PRINTED_PAGE, PRINTED_FIGURE = 0.06, 0.3
PAGE_FIGURE = 0.6  # of the page's height
NESTED = 0.8  # share of the inner box, PaddleX's own measure for merging


def least_score(kind: str, options: LayoutOptions) -> float:
    """Threshold for a class of the network under these options."""
    asked = [per_class(options.threshold, label) for label in BECOMES[kind]]
    return min(max(LOWEST_THRESHOLD, LEAST_SCORES[kind] if value is None else value) for value in asked)


def select(
    candidates: Iterable[Candidate], text: TextLines, page_height: float, options: LayoutOptions
) -> tuple[list[Region], list[TextLine]]:
    """Return the regions, each with its lines, and the lines that belong to none."""
    fit = [c for c in candidates if c.score >= least_score(c.label, options)]
    fit = _without_nested(fit, options)
    owned = {c: [line for line in text.lines if coverage(core(line), c.box) >= OWN_LINE] for c in fit}
    fit = [c for c in fit if c.label != "figure" or not _is_print(c, fit, owned[c], page_height)]
    ranked = sorted(fit, key=lambda c: -_rank(c, owned[c], page_height))
    if options.nms is False:
        regions = [Region(c.label, c.score, c.box, downwards(owned[c], text.slope)) for c in ranked]
        claimed = {line for region in regions for line in region.lines}
        return regions, [line for line in text.lines if line not in claimed]
    return _claim(ranked, owned, text, options)


def _rank(candidate: Candidate, lines: list[TextLine], page_height: float) -> float:
    """Who claims first: containers, then by score, corrected where the network is known to waver."""
    rank = candidate.score
    middle = (candidate.box[1] + candidate.box[3]) / 2 / page_height
    if candidate.label in CONTAINERS:
        rank += 1 + 0.2 * (
            candidate.label == "table"
        )  # tables are often seen as figures, figures not as tables
    elif candidate.label == "title" and len(lines) == 1:
        rank += 0.35  # single-line headings are seen as text too, often with the better score
    elif (candidate.label == "header" and middle < 0.1) or (candidate.label == "footer" and middle > 0.9):
        rank += 0.2
    return rank


def _claim(
    ranked: list[Candidate], owned: dict[Candidate, list[TextLine]], text: TextLines, options: LayoutOptions
) -> tuple[list[Region], list[TextLine]]:
    free = set(text.lines)
    accepted: list[tuple[Candidate, list[TextLine]]] = []
    for candidate in ranked:
        mine = [line for line in owned[candidate] if line in free]
        rival = _rival(candidate, mine, owned[candidate], [c for c, _ in accepted])
        keep_both = _mode(candidate, options) == "union" and rival is not None and rival is not candidate
        if rival is not None and not (keep_both and not _same(candidate, rival)):
            if rival.label == candidate.label and candidate.score >= 0.5:
                # Two views of one block, each with a line that the other lacks: together they are right.
                next(lines for c, lines in accepted if c is rival).extend(mine)
                free.difference_update(mine)
            continue
        accepted.append((candidate, mine))
        free.difference_update(mine)
    regions = [Region(c.label, c.score, c.box, downwards(lines, text.slope)) for c, lines in accepted]
    return regions, [line for line in text.lines if line in free]


def _rival(
    candidate: Candidate, mine: list[TextLine], all_lines: list[TextLine], accepted: list[Candidate]
) -> Candidate | None:
    """The accepted region that already says what this one would; None when it has enough of its own."""
    overlapping = [c for c in accepted if intersection(c.box, candidate.box) > 0]
    closest = max(overlapping, key=lambda c: intersection(c.box, candidate.box), default=None)
    if all_lines and candidate.label not in CONTAINERS:
        enough = sum(width(line.box) for line in mine) >= 0.5 * sum(width(line.box) for line in all_lines)
        return None if enough else closest or candidate
    covered = sum(intersection(c.box, candidate.box) for c in overlapping)
    return closest if covered > 0.5 * area(candidate.box) else None


def _is_print(
    figure: Candidate, candidates: list[Candidate], lines: list[TextLine], page_height: float
) -> bool:
    """Whether a figure is print after all, such as a photographed page; then its paragraphs count."""
    inside = [c.box for c in candidates if c.label in {"text", "reference"} and c.score >= 0.8]
    paragraphs = sum(intersection(box, figure.box) for box in inside)
    printed = sum(area(line.box) for line in lines)
    most = PRINTED_PAGE if height(figure.box) > PAGE_FIGURE * page_height else PRINTED_FIGURE
    return paragraphs > 0.35 * area(figure.box) or printed > most * area(figure.box)


def _same(a: Candidate, b: Candidate) -> bool:
    """PaddleX's non-maximum suppression: 0.6 within a class, 0.95 across classes."""
    return iou(a.box, b.box) >= (0.6 if a.label == b.label else 0.95)


def _mode(candidate: Candidate, options: LayoutOptions) -> str | None:
    return per_class(options.merge_bboxes_mode, BECOMES[candidate.label][0])


def _without_nested(candidates: list[Candidate], options: LayoutOptions) -> list[Candidate]:
    """Obey an explicit merge mode: `large` drops what lies inside, `small` what has something inside."""
    if options.merge_bboxes_mode is None:
        return candidates
    dropped: set[Candidate] = set()
    for outer in candidates:
        for inner in candidates:
            if inner is outer or area(inner.box) > area(outer.box):
                continue
            if coverage(inner.box, outer.box) < NESTED:
                continue
            if _mode(outer, options) == "large":
                dropped.add(inner)
            elif _mode(inner, options) == "small":
                dropped.add(outer)
    return [c for c in candidates if c not in dropped]
