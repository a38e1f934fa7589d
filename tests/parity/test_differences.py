"""Where our answer is not PaddleX's, on purpose: each difference by name, and nothing else differs beside it.

Their numbers are those of `docs/COMPATIBILITY.md`.
"""

import base64
import json

import pytest

from docparse.errors import RegionFailure
from docparse.layout.detector import per_class
from tests.docparse.paddlex_oracle import read
from tests.docparse.pages import box
from tests.parity.comparing import DIFFERENCES, assert_same, even
from tests.parity.samples import IMAGE, PDF, Sample, book, image_sample, tiff_sample
from tests.parity.services import Models, ask_ours, ask_paddlex
from tests.samples import image_bytes, pdf_with_a_broken_page

PLAIN = "imgs/img_in_image_box_10_10_200_200.jpg"
FIGURE = box("image", 10, 10, 200, 200)


async def ask_both(sample, pool, reader=read, **options):
    models = Models(sample.pages, reader)
    body = sample.body(**options)
    theirs = await ask_paddlex(models, body)
    # Page by page: which of two pages keeps a name that both would have depends on which is done first.
    return await ask_ours(models, body, pool, max_pages_in_work=1), theirs


def elements(answer):
    return answer.json()["result"]["layoutParsingResults"]


@pytest.mark.difference(5, 10)
@pytest.mark.parametrize("name", DIFFERENCES)
async def test_a_difference_of_every_answer_is_the_only_one(pool, name):
    ours, theirs = await ask_both(book(), pool, outputFormats=["docx"])
    our_answer, their_answer = even(ours, theirs, but=name)
    assert our_answer != their_answer
    assert_same(ours, theirs)


@pytest.mark.difference(5, 6)
async def test_the_pages_of_the_document_and_the_scale_of_rendering_are_told(pool):
    info = (await ask_both(book(), pool, visualize=False))[0].json()["result"]["dataInfo"]
    assert (info["numPages"], info["totalPages"], info["renderScale"]) == (3, 3, 2.0)
    info = (await ask_both(image_sample(), pool, visualize=False))[0].json()["result"]["dataInfo"]
    assert set(info) == {"width", "height", "type"}


@pytest.mark.difference(10)
async def test_a_block_that_was_read_says_how(pool):
    ours, _ = await ask_both(image_sample(box("text", 10, 10, 300, 100), FIGURE), pool, visualize=False)
    text, figure = elements(ours)[0]["prunedResult"]["parsing_res_list"]
    assert text["block_recognition"]["finish_reason"] == "stop"
    assert "block_recognition" not in figure


@pytest.mark.difference(1)
@pytest.mark.parametrize("sample", [book(), image_sample(), tiff_sample([], [])], ids=["PDF", "PNG", "TIFF"])
async def test_a_file_whose_type_is_not_said_is_looked_at(pool, sample):
    models = Models(sample.pages)
    refused = await ask_paddlex(models, sample.body(fileType=None))
    assert (refused.status_code, refused.json()["errorMsg"]) == (422, "File type cannot be determined")
    theirs = await ask_paddlex(models, sample.body())
    assert_same(await ask_ours(models, sample.body(fileType=None), pool), theirs)


@pytest.mark.difference(1)
@pytest.mark.parametrize(("sample", "said"), [(book(), 1), (image_sample(), 0)], ids=["PDF", "PNG"])
async def test_a_wrong_type_is_refused_with_what_the_bytes_are(pool, sample, said):
    ours, theirs = await ask_both(sample, pool, fileType=said)
    assert (ours.status_code, theirs.status_code) == (422, 422)
    assert theirs.json()["errorMsg"] == "Invalid input file"
    assert "`fileType`" in ours.json()["errorMsg"]
    assert ("a PDF" if said else "a PNG image") in ours.json()["errorMsg"]


@pytest.mark.difference(1)
async def test_a_data_url_is_a_document(pool):
    sample = image_sample(FIGURE)
    plain, _ = await ask_both(sample, pool)
    file = "data:image/png;base64," + base64.b64encode(sample.data).decode()
    ours, theirs = await ask_both(sample, pool, file=file)
    assert theirs.status_code == 422
    assert ours.json() == plain.json()


@pytest.mark.difference(1)
async def test_a_gif_is_a_picture(pool):
    ours, theirs = await ask_both(Sample(image_bytes("gif"), IMAGE, [[]]), pool)
    assert (ours.status_code, theirs.status_code) == (200, 422)


@pytest.mark.difference(3)
async def test_a_figure_repeated_on_another_page_has_a_name_of_its_own(pool):
    ours, theirs = await ask_both(tiff_sample([FIGURE], [FIGURE]), pool)
    renamed = PLAIN.replace("_box", "_page_2_box")
    assert [list(each["markdown"]["images"]) for each in elements(ours)] == [[PLAIN], [renamed]]
    assert [list(each["markdown"]["images"]) for each in elements(theirs)] == [[PLAIN], [PLAIN]]
    # In texts and pictures together, and there only.
    our_answer, their_answer = even(ours, theirs)
    assert json.loads(json.dumps(our_answer).replace(renamed, PLAIN)) == their_answer


@pytest.mark.difference(3)
async def test_a_page_that_is_a_seal_has_a_picture_of_its_own(pool):
    sample = tiff_sample([], [])
    ours, theirs = await ask_both(
        sample, pool, useLayoutDetection=False, promptLabel="seal", formatBlockContent=True
    )
    plain = "imgs/img_in_seal_box_0_0_800_1000.jpg"
    renamed = plain.replace("_box", "_page_2_box")
    our_answer, their_answer = even(ours, theirs)
    assert json.loads(json.dumps(our_answer).replace(renamed, plain)) == their_answer
    assert list(elements(ours)[1]["markdown"]["images"]) == [renamed]


@pytest.mark.difference(3)
async def test_a_figure_where_another_page_has_one_in_a_table_is_not_lost(pool):
    """PaddleX takes the second page's figure for the one that the first's table shows."""
    ours, theirs = await ask_both(tiff_sample([box("table", 5, 5, 700, 300), FIGURE], [FIGURE]), pool)
    assert [len(each["prunedResult"]["parsing_res_list"]) for each in elements(ours)] == [1, 1]
    assert [len(each["prunedResult"]["parsing_res_list"]) for each in elements(theirs)] == [1, 0]


@pytest.mark.difference(4)
async def test_a_ratio_of_width_and_height_is_taken(pool):
    sample, models = image_sample(FIGURE), Models([[FIGURE]])
    theirs = await ask_paddlex(models, sample.body(layoutUnclipRatio=[1.1, 1.2]))
    ours = await ask_ours(models, sample.body(layoutUnclipRatio=[1.1, 1.2]), pool)
    assert (ours.status_code, theirs.status_code) == (200, 422)
    assert "got: tuple" in theirs.json()["errorMsg"]
    assert models.layout_options.unclip_ratio == (1.1, 1.2)


@pytest.mark.difference(4)
@pytest.mark.parametrize("key", ["22", "text"])
async def test_a_value_for_a_class_reaches_the_layout_model(pool, key):
    """PaddleX passes the texts that JSON makes of ids, and its model looks for numbers."""
    sample, models = image_sample(FIGURE), Models([[FIGURE]])
    options = {
        "layoutThreshold": {key: 0.3}, "layoutUnclipRatio": {key: 1.5}, "layoutMergeBboxesMode": {key: "small"},
    }  # fmt: skip
    theirs = await ask_paddlex(models, sample.body(**options))
    assert_same(await ask_ours(models, sample.body(**options), pool), theirs)
    assert models.paddlex_layout_options["threshold"] == {key: 0.3}
    asked = models.layout_options
    assert per_class(asked.threshold, "text") == 0.3
    assert per_class(asked.unclip_ratio, "text") == (1.5, 1.5)
    assert per_class(asked.merge_bboxes_mode, "text") == "small"
    assert per_class(asked.threshold, "table") is None


@pytest.mark.difference(5)
async def test_a_document_is_never_cut_in_silence(pool):
    sample = tiff_sample(*([] for _ in range(12)))
    models = Models(sample.pages)
    theirs = await ask_paddlex(models, sample.body(visualize=False), most_pages=10)
    assert theirs.json()["result"]["dataInfo"]["numPages"] == len(elements(theirs)) == 10
    ours = await ask_ours(models, sample.body(), pool, max_pages=10)
    assert ours.status_code == 413
    assert {"12", "10"} <= set(ours.json()["errorMsg"].split())
    ours = await ask_ours(models, sample.body(pageRanges="1-9,10", visualize=False), pool, max_pages=10)
    assert ours.json()["result"]["dataInfo"].pop("totalPages") == 12
    assert_same(ours, theirs)


SMALL = image_sample(width=40, height=40)
READ = image_sample(box("text", 0, 0, 40, 40), width=40, height=40)
# What is sent, the status of PaddleX, ours, and words of our sentence.
ERRORS = {
    "no JSON": (b"{", 422, 400, "not valid JSON"),
    "nothing": (b"", 422, 400, "empty"),
    "no object": ([], 422, 422, "JSON object"),
    "no file": ({"fileType": 1}, 422, 422, "`file` is required"),
    "no base64": ({"file": "?", "fileType": 1}, 422, 422, "`file`"),
    "no picture": ({"file": "AAAA", "fileType": 1}, 422, 422, "`file` must be a PDF, PNG"),
    "broken PDF": ({"file": base64.b64encode(b"%PDF-1.4").decode(), "fileType": 0}, 422, 422, "`file`"),
    "type of another kind": (SMALL.body(fileType="1"), 422, 422, "`fileType`"),
    "shape that is null": (SMALL.body(layoutShapeMode=None), 422, 422, "`layoutShapeMode`"),
    "flag that is null": (SMALL.body(restructurePages=None), 422, 422, "`restructurePages`"),
    "threshold over 1": (SMALL.body(layoutThreshold=1.5), 422, 422, "`layoutThreshold`"),
    "unknown mode": (SMALL.body(layoutMergeBboxesMode="huge"), 422, 422, "`layoutMergeBboxesMode`"),
    "unknown prompt": (SMALL.body(promptLabel="text"), 422, 422, "`promptLabel`"),
    "limits crossed": (SMALL.body(minPixels=9, maxPixels=8), 422, 422, "`minPixels`"),
    "unknown format": (SMALL.body(outputFormats=["pdf"]), 422, 422, "`outputFormats`"),
    "unknown class": (SMALL.body(layoutThreshold={"paragraph": 0.5}), 200, 422, "`layoutThreshold`"),
    "limit of no number": (READ.body(vlmExtraArgs={"ocr_max_pixels": "1"}), 500, 422, "`vlmExtraArgs.ocr_max_pixels`"),
    "name that is a number": ({**SMALL.body(), "logId": 5}, 500, 422, "`logId`"),
    "unwarping": (SMALL.body(useDocUnwarping=True), 500, 422, "`useDocUnwarping`"),
    "orientation": (SMALL.body(useDocOrientationClassify=True), 500, 422, "`useDocOrientationClassify`"),
}  # fmt: skip


@pytest.mark.difference(4, 7, 8)
@pytest.mark.parametrize(("body", "their_status", "status", "words"), ERRORS.values(), ids=ERRORS.keys())
async def test_an_error_is_a_sentence_that_names_the_field(pool, body, their_status, status, words):
    models = Models(READ.pages)
    theirs, ours = await ask_paddlex(models, body), await ask_ours(models, body, pool)
    assert (theirs.status_code, ours.status_code) == (their_status, status), (theirs.text, ours.text)
    error = ours.json()
    assert error["errorCode"] == status
    assert words in error["errorMsg"]
    if their_status != 200:
        assert set(error) == set(theirs.json())
        assert not error["errorMsg"].startswith("[")  # PaddleX's is JSON in a text


@pytest.mark.difference(8)
async def test_a_region_that_fails_costs_that_region(pool):
    def fail_on_tables(prompt, image):
        if prompt == "Table Recognition:":
            raise RegionFailure("the server refused it")
        return read(prompt, image)

    sample = image_sample(box("text", 10, 10, 300, 100), box("table", 10, 200, 300, 400))
    ours, theirs = await ask_both(sample, pool, fail_on_tables)
    assert theirs.status_code == 500
    (element,) = elements(ours)
    assert [warning["code"] for warning in element["warnings"]] == ["region_failed"]
    text, table = element["prunedResult"]["parsing_res_list"]
    assert text["block_content"]
    assert table["block_content"] == ""


@pytest.mark.difference(8)
async def test_a_table_that_is_not_well_formed_costs_its_form(pool):
    text = "<fcel><nl><xcel>"
    ours, theirs = await ask_both(image_sample(box("table", 10, 200, 300, 400)), pool, lambda *_: text)
    assert theirs.status_code == 500
    (element,) = elements(ours)
    assert [warning["code"] for warning in element["warnings"]] == ["table_not_converted"]
    assert element["prunedResult"]["parsing_res_list"][0]["block_content"] == text


@pytest.mark.difference(8)
async def test_a_page_that_is_none_costs_that_page(pool):
    ours, theirs = await ask_both(Sample(pdf_with_a_broken_page(3, broken=1), PDF, [[]] * 3), pool)
    assert theirs.status_code == 422
    assert [len(element.get("warnings", [])) for element in elements(ours)][1] == 1
