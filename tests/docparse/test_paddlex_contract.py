"""What we rely on in PaddleX though it is not public API: a version that changes it fails here first."""

import inspect
import subprocess
import sys
from importlib.metadata import version

import numpy as np
from paddlex.inference.pipelines.components import CropByBoxes
from paddlex.inference.pipelines.layout_parsing import merge_table, title_level
from paddlex.inference.pipelines.layout_parsing.setting import BLOCK_LABEL_MAP
from paddlex.inference.pipelines.paddleocr_vl import pipeline, result, uilts

from docparse import paddlex_forms
from docparse.labels import IMAGE_LABELS
from docparse.layout.labels import UNORDERED_LABELS


def test_it_is_the_version_that_was_read():
    assert version("paddlex") == "3.7.2"


def test_functions_take_what_we_give_them():
    expected = {
        uilts.filter_overlap_boxes: ["layout_det_res", "layout_shape_mode"],
        uilts.merge_blocks: ["blocks", "non_merge_labels", "layout_shape_mode"],
        uilts.tokenize_figure_of_table: ["table_block_img", "table_box", "figures"],
        uilts.untokenize_figure_of_table: ["table_res_str", "figure_token_map", "image_path_to_obj_map"],
        uilts.truncate_repetitive_content: [
            "content", "line_threshold", "char_threshold", "min_len", "min_count",
        ],
        uilts.post_process_for_spotting: ["input_str", "w", "h"],
        merge_table.merge_tables_across_pages: ["pages"],
        title_level.assign_levels_to_parsing_res: ["blocks_by_page"],
        CropByBoxes.__call__: ["self", "img", "boxes", "layout_shape_mode"],
        result.PaddleOCRVLBlock.__init__: [
            "self", "label", "bbox", "content", "group_id", "polygon_points", "global_block_id",
            "global_group_id",
        ],
        result.PaddleOCRVLResult._to_markdown: ["self", "pretty", "show_formula_number"],
    }  # fmt: skip
    for function, parameters in expected.items():
        assert list(inspect.signature(function).parameters) == parameters


def test_labels_are_treated_as_in_its_pipeline():
    assert list(IMAGE_LABELS) == pipeline.IMAGE_LABELS
    assert set(UNORDERED_LABELS) == set(result.SKIP_ORDER_LABELS)
    assert BLOCK_LABEL_MAP["image_labels"] == ["image", "figure", "seal"]


def test_a_crop_is_a_copy():
    page = np.zeros((50, 50, 3), np.uint8)
    crop = paddlex_forms.crop_boxes(
        page, [{"cls_id": 22, "label": "text", "coordinate": [0, 0, 9, 9]}], "rect"
    )[0]
    assert set(crop) == {"img", "box", "label"}
    assert not np.shares_memory(crop["img"], page)


def test_blocks_are_joined_as_its_own_function_joins_them():
    """Ours is given crops that PaddleX need not convert to learn their sizes."""
    chance = np.random.default_rng(7)
    joined = 0
    for _ in range(200):
        crops = made_crops(chance)
        ours = paddlex_forms.merge_adjacent(crops, ["image"])
        theirs = uilts.merge_blocks(crops, non_merge_labels=["image", "table"])
        assert [set(crop) for crop in ours] == [set(crop) for crop in theirs]
        for our, their in zip(ours, theirs, strict=True):
            assert our["label"] == their["label"]
            assert our.get("group_id") == their.get("group_id")
            assert our.get("merge_aligns") == their.get("merge_aligns")
            np.testing.assert_array_equal(our["img"], their["img"], strict=True)
        joined += sum(crop["img"] is None for crop in ours)
    assert joined > 20


def made_crops(chance):
    """Blocks of two columns, a little out of line, some beside a picture: what PaddleX joins and what it leaves."""
    crops = []
    for column in range(2):
        y = int(chance.integers(10, 40))
        for _ in range(int(chance.integers(1, 5))):
            label = str(chance.choice(["text", "text", "text", "image", "table"]))
            x = 20 + column * 250 + int(chance.integers(0, 3)) * 4
            width, height = int(chance.integers(120, 220)), int(chance.integers(20, 90))
            pixels = chance.integers(0, 255, (height, width, 3), np.uint8)
            crops.append({"img": pixels, "box": [x, y, x + width, y + height], "label": label})
            y += height + int(chance.integers(2, 12))
    return crops


def test_an_image_of_a_block_may_be_anything_with_a_path():
    """Markdown is made without looking at the picture, so that no page needs to hold its pixels."""
    block = paddlex_forms.Block("image", [0, 0, 9, 9])
    block.image = {"path": "imgs/a.jpg", "img": None}
    form = paddlex_forms.PageForm(
        {
            "input_path": None, "page_index": None, "page_count": None, "width": 100, "height": 100,
            "model_settings": {"use_doc_preprocessor": False, "use_layout_detection": True},
            "layout_det_res": {"boxes": []}, "parsing_res_list": [block], "spotting_res": {},
            "imgs_in_doc": [],
        }
    )  # fmt: skip
    assert form._to_markdown()["markdown_images"] == {"imgs/a.jpg": None}
    assert form.json["res"]["parsing_res_list"][0]["group_id"] == 0


def test_it_is_imported_without_paddlepaddle_and_without_noise(tmp_path):
    code = "import sys, docparse.paddlex_forms; print('paddle' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    assert done.stdout == "False\n"
