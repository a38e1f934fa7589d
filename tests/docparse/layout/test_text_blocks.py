"""Lines of text made into regions: claimed, rescued, cut into paragraphs, and boxed."""

import logging

import pytest

from docparse.layout.geometry import intersection, iou
from docparse.layout.lines import TextLine
from docparse.layout.paragraphs import split_paragraphs
from docparse.layout.picodet import CdlaNetwork
from docparse.layout.regions import Region, split_across
from docparse.layout.rescue import attach_lines, rescue_lines
from docparse.layout.snapping import snap
from tests.docparse.layout.examples import load_page


def line(x1: float, y1: float, x2: float, y2: float) -> TextLine:
    return TextLine((x1, y1, x2, y2), y2 - y1, 0.9)


def block(*ys: float, x1: float = 100, x2: float = 500) -> tuple[TextLine, ...]:
    return tuple(line(x1, y, x2, y + 20) for y in ys)


def text(*lines: TextLine, kind: str = "text") -> Region:
    return Region(kind, 0.9, Region(kind, 0.9, (0, 0, 0, 0), lines).text_box, lines)


def test_loose_lines_close_to_each_other_become_one_block():
    blocks = rescue_lines([*block(100, 128), *block(400)], slope=0.0)
    assert sorted(region.box for region in blocks) == [(100, 100, 500, 148), (100, 400, 500, 420)]


def test_loose_lines_of_two_columns_become_two_blocks():
    blocks = rescue_lines([*block(100, 128), *block(100, 128, x1=600, x2=900)], slope=0.0)
    assert len(blocks) == 2


def test_pieces_of_one_line_become_one_block():
    assert len(rescue_lines([line(100, 100, 300, 120), line(320, 101, 500, 121)], slope=0.0)) == 1


def test_a_loose_line_that_continues_a_block_joins_it():
    regions, loose = attach_lines([text(*block(100, 128))], [line(100, 156, 180, 176)], slope=0.0)
    assert not loose
    assert regions[0].text_box == (100, 100, 500, 176)


def test_a_loose_line_far_from_every_block_stays_loose():
    far = line(100, 300, 180, 320)
    assert attach_lines([text(*block(100, 128))], [far], slope=0.0)[1] == [far]


def test_a_block_is_cut_where_the_gap_is_wider():
    parts = split_paragraphs(text(*block(100, 128, 156, 200, 228)), slope=0.0)
    assert [len(part.lines) for part in parts] == [3, 2]


def test_a_block_is_cut_where_an_indented_line_follows_a_short_one():
    lines = [*block(100, 128), line(100, 156, 250, 176), line(130, 184, 500, 204), *block(212)]
    assert [len(part.lines) for part in split_paragraphs(text(*lines), slope=0.0)] == [3, 2]


def test_an_even_block_stays_whole():
    assert len(split_paragraphs(text(*block(100, 128, 156, 184)), slope=0.0)) == 1


def test_a_line_that_runs_on_into_the_next_column_is_cut_between_them():
    columns = [(100.0, 0.0, 480.0, 500.0), (500.0, 0.0, 900.0, 500.0)]
    parts = split_across([line(105, 100, 890, 120), line(105, 140, 470, 160)], columns)
    assert [part.box for part in parts] == [(105, 100, 490, 120), (490, 100, 890, 120), (105, 140, 470, 160)]


def test_boxes_of_neighbours_get_air_but_do_not_touch():
    above, below = snap([text(*block(100, 128)), text(*block(152, 180))], 1000, 1000)
    assert above[1] < 100
    assert 148 < above[3] <= below[1] < 152
    assert below[3] > 200
    assert intersection(above, below) == 0


def test_a_frame_gives_way_to_a_line_of_text():
    frame = Region("table", 0.9, (90.0, 140.0, 510.0, 400.0))
    caption, table = snap([text(*block(128)), frame], 1000, 1000)
    assert table[1] >= caption[3] > 148


@pytest.mark.parametrize("name", ["paper-1", "invoice", "chinese"])
def test_the_network_is_decoded_as_its_own_package_does(name):
    from rapid_layout import RapidLayout  # noqa: PLC0415  (only here: it sets up its own logging)

    logging.getLogger("rapid_layout").setLevel(logging.WARNING)
    image = load_page(name).image
    theirs = RapidLayout(model_type="pp_layout_cdla", conf_thresh=0.4)(image)
    ours = CdlaNetwork(intra_op_threads=2).candidates(image, 0.4)
    assert len(ours) == len(theirs.boxes)
    expected = sorted(zip(theirs.scores, theirs.class_names, theirs.boxes, strict=True), reverse=True)
    for candidate, (score, label, box) in zip(ours, expected, strict=True):
        assert candidate.label == label
        assert candidate.score == pytest.approx(score, abs=1e-3)
        assert iou(candidate.box, tuple(box)) > 0.98
