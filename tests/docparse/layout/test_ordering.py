from hypothesis import given
from hypothesis import strategies as st

from docparse.layout.ordering import reading_order

WIDTH, HEIGHT = 1000.0, 1400.0
# Two columns under a spanning title, with a figure across both, and running lines.
PAPER = {
    "header": (400, 20, 600, 40),
    "title": (100, 80, 900, 140),
    "authors": (350, 160, 650, 180),
    "left 1": (60, 220, 480, 500),
    "left 2": (60, 520, 480, 700),
    "right 1": (520, 220, 940, 420),
    "right 2": (520, 440, 940, 700),
    "wide figure": (60, 730, 940, 980),
    "wide caption": (200, 990, 800, 1010),
    "left 3": (60, 1040, 480, 1300),
    "right 3": (520, 1040, 940, 1300),
    "number": (490, 1350, 510, 1370),
}
LABELS = {
    "header": "header",
    "title": "doc_title",
    "wide figure": "image",
    "wide caption": "figure_title",
    "number": "number",
}
TRUE_ORDER = [
    *("header", "title", "authors", "left 1", "left 2", "right 1", "right 2"),
    *("wide figure", "wide caption", "left 3", "right 3", "number"),
]

boxes = st.builds(
    lambda x, y, w, h: (float(x), float(y), float(x + w), float(y + h)),
    st.integers(0, 900),
    st.integers(0, 1300),
    st.integers(1, 400),
    st.integers(1, 400),
)
labelled = st.lists(
    st.tuples(boxes, st.sampled_from(["text", "header", "footer", "number", "image", "paragraph_title"])),
    max_size=25,
)


def order_of(names: list[str], slope: float = 0.0) -> list[str]:
    placed = [tuple(float(v) for v in PAPER[name]) for name in names]
    leaning = [(x1, y1 + slope * x1, x2, y2 + slope * x2) for x1, y1, x2, y2 in placed]
    found = reading_order(leaning, [LABELS.get(name, "text") for name in names], WIDTH, HEIGHT, slope)
    return [names[i] for i in found]


def test_columns_are_read_one_after_the_other_between_what_spans_them():
    assert order_of(sorted(PAPER)) == TRUE_ORDER


def test_a_leaning_page_is_read_like_an_upright_one():
    assert order_of(sorted(PAPER), slope=0.015) == TRUE_ORDER
    assert order_of(sorted(PAPER), slope=-0.015) == TRUE_ORDER


def test_headings_level_with_each_other_belong_to_their_columns():
    placed = {
        "authors": (350.0, 160.0, 650.0, 180.0),
        "left heading": (60.0, 220.0, 200.0, 240.0),
        "right heading": (520.0, 220.0, 700.0, 240.0),
        "left": (60.0, 250.0, 480.0, 900.0),
        "right": (520.0, 250.0, 940.0, 900.0),
    }
    found = reading_order(list(placed.values()), ["text"] * len(placed), WIDTH, HEIGHT)
    assert [list(placed)[i] for i in found] == ["authors", "left heading", "left", "right heading", "right"]


def test_low_blocks_side_by_side_are_read_in_rows():
    placed = {
        "name": (60.0, 50.0, 300.0, 90.0),
        "sender": (600.0, 50.0, 900.0, 120.0),
        "customer": (60.0, 150.0, 400.0, 240.0),
        "dates": (600.0, 150.0, 900.0, 240.0),
        "table": (60.0, 300.0, 940.0, 900.0),
    }
    found = reading_order(list(placed.values()), ["text"] * len(placed), WIDTH, HEIGHT)
    assert [list(placed)[i] for i in found] == list(placed)


def test_a_page_number_at_the_top_comes_first():
    found = reading_order(
        [(60.0, 100.0, 900.0, 900.0), (480.0, 20.0, 500.0, 40.0)], ["text", "number"], WIDTH, HEIGHT
    )
    assert found == [1, 0]


@given(labelled)
def test_every_box_is_kept_once(items):
    found = reading_order([box for box, _ in items], [label for _, label in items], WIDTH, HEIGHT)
    assert sorted(found) == list(range(len(items)))


@given(labelled, st.randoms(use_true_random=False), st.floats(-0.03, 0.03))
def test_the_order_of_the_input_does_not_matter(items, random, slope):
    def ordered(some):
        found = reading_order([box for box, _ in some], [label for _, label in some], WIDTH, HEIGHT, slope)
        return [some[i] for i in found]

    shuffled = list(items)
    random.shuffle(shuffled)
    assert ordered(items) == ordered(shuffled)


@given(labelled, st.sampled_from([0.5, 2.0, 4.0]))
def test_the_resolution_does_not_matter(items, scale):
    labels = [label for _, label in items]
    small = reading_order([box for box, _ in items], labels, WIDTH, HEIGHT)
    scaled = [tuple(v * scale for v in box) for box, _ in items]
    assert reading_order(scaled, labels, WIDTH * scale, HEIGHT * scale) == small
