"""From the ten classes of the CDLA network to those of PP-DocLayoutV2, by size and place on the page."""

from statistics import median

from docparse.layout.geometry import height, shared_height, width
from docparse.layout.regions import CONTAINERS, RESCUED, Region

PLAIN = {
    "text": "text",
    RESCUED: "text",
    "title": "paragraph_title",
    # Plots and photographs are one class to this network; a chart would be sent to chart recognition.
    "figure": "image",
    "figure_caption": "figure_title",
    "table": "table",
    "table_caption": "figure_title",
    "header": "header",
    "footer": "footer",
    # One block per list. PP-DocLayoutV2's `reference` is the frame round such blocks, which PaddleX drops.
    "reference": "reference_content",
    "equation": "display_formula",
}
DOC_TITLE_HEIGHTS = 1.3  # of the page's usual line; headings of sections stay below
DOC_TITLE_LOWEST = 0.5  # of the page's height
NUMBER_HEIGHTS = 2.6  # a lone page number is hardly wider than it is high
FORMULA_NUMBER_HEIGHTS = 3.0
EDGE = 0.06  # of the page's height: where a loose line is taken for a running head or foot
ALONE_HEIGHTS = 2.0  # and how far it then stands from everything else


def name_regions(regions: list[Region], page_height: float) -> list[str]:
    """Return the PP-DocLayoutV2 label of each region."""
    # Not from tables: the rules round a cell are taken for part of its line.
    prose = [region for region in regions if region.kind not in CONTAINERS and region.kind != "title"]
    heights = [line.height for region in prose for line in region.lines]
    usual = median(heights) if heights else page_height
    tallest = max((_line_height(r) for r in regions if r.kind == "title"), default=0.0)
    formulas = [region for region in regions if region.kind == "equation"]
    return [_name(region, regions, formulas, usual, tallest, page_height) for region in regions]


def _name(  # noqa: PLR0917  (the page's measures, taken once)
    region: Region,
    regions: list[Region],
    formulas: list[Region],
    usual: float,
    tallest: float,
    page_height: float,
) -> str:
    label = PLAIN[region.kind]
    box = region.text_box
    if region.kind == "title":
        large = _line_height(region) >= max(DOC_TITLE_HEIGHTS * usual, 0.9 * tallest)
        return "doc_title" if large and box[1] < DOC_TITLE_LOWEST * page_height else label
    if region.kind == RESCUED and len(region.lines) == 1 and _alone(region, regions):
        if box[3] < EDGE * page_height:
            label = "header"
        elif box[1] > (1 - EDGE) * page_height:
            label = "footer"
    if label in {"header", "footer"} and len(region.lines) <= 1 and width(box) < NUMBER_HEIGHTS * height(box):
        return "number"
    if label == "text" and len(region.lines) <= 1 and width(box) < FORMULA_NUMBER_HEIGHTS * height(box):
        beside = [f for f in formulas if shared_height(f.text_box, box) > 0.5 * height(box)]
        return "formula_number" if beside else label
    return label


def _line_height(region: Region) -> float:
    return median(line.height for line in region.lines) if region.lines else 0.0


def _alone(region: Region, regions: list[Region]) -> bool:
    reach = ALONE_HEIGHTS * height(region.text_box)
    return all(
        -shared_height(region.text_box, other.text_box) > reach
        for other in regions
        if other is not region and other.text_box != region.text_box
    )
