"""Pages whose regions the small networks find, for the tests of the layout engine."""

from docparse.layout.detector import LayoutBox
from tests.networks.palette import Painted

V2, V3 = "PP-DocLayoutV2", "PP-DocLayoutV3"

TITLE = Painted("doc_title", (80, 40, 720, 80))
LEFT = Painted("text", (80, 120, 360, 200))
RIGHT = Painted("text", (440, 120, 720, 280), 1)
TABLE = Painted("table", (80, 240, 360, 600), fill=0.7)
FAINT = Painted("image", (440, 320, 720, 600), fill=0.2)
PAGE = [TITLE, LEFT, RIGHT, TABLE, FAINT]
# One place found twice: the second lies over the first but for a strip at its top and left.
TWICE = [Painted("text", (80, 640, 360, 760), 2), Painted("text", (100, 660, 380, 780), 3)]
NESTED = [Painted("chart", (440, 640, 720, 780)), Painted("text", (500, 680, 600, 740), 4)]
LEANING = Painted("image", (302, 302, 600, 600), outline=[(400, 300), (600, 400), (500, 600), (300, 500)])


def found(boxes: list[LayoutBox]) -> list[tuple[str, tuple[int, ...], int | None]]:
    return [(box.label, tuple(int(side) for side in box.coordinate), box.order) for box in boxes]
