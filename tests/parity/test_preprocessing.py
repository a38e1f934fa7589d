"""With preprocessing, whole answers are PaddleX's: the same pixels, boxes in them, and what is said of them."""

import asyncio

import pytest

from docparse.errors import PageFailure, PreprocessingUnavailable
from docparse.parse_defaults import ParseDefaults
from tests.docparse.pages import box
from tests.docparse.preprocessing.oracle import load_ours, load_paddlex, marked_page, write_models
from tests.networks.palette import tiff_of
from tests.parity.comparing import assert_same
from tests.parity.samples import IMAGE, Sample
from tests.parity.services import Models, ask_ours, ask_paddlex

# Within the page whichever way it is turned.
REGIONS = [
    [box("text", 20, 20, 120, 60), box("image", 20, 80, 120, 160), box("table", 130, 20, 220, 100)],
    [box("text", 10, 30, 200, 90)],
    [box("seal", 30, 40, 200, 200), box("doc_title", 20, 210, 150, 235)],
]
OPTIONS = {
    "default": {},
    "orientation": {"useDocOrientationClassify": True},
    "unwarping": {"useDocUnwarping": True},
    "both": {"useDocOrientationClassify": True, "useDocUnwarping": True},
    "orientation alone": {"useDocOrientationClassify": True, "useDocUnwarping": False},
    "unwarping alone": {"useDocOrientationClassify": False, "useDocUnwarping": True},
    "neither": {"useDocOrientationClassify": False, "useDocUnwarping": False},
    "no orientation": {"useDocOrientationClassify": False},
    "no layout": {"useLayoutDetection": False},
    "spotting": {"useLayoutDetection": False, "promptLabel": "spotting"},
    "not visualized": {"visualize": False},
    "restructured": {"restructurePages": True},
    "Word": {"outputFormats": ["docx"], "visualize": False},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def paddlex(folders):
    return load_paddlex(folders)


@pytest.fixture(scope="module")
def stages(folders):
    ours = load_ours(folders)

    async def preprocess(image, options):
        return (await asyncio.to_thread(ours.preprocess, [image], [options]))[0]

    defaults = ParseDefaults(use_doc_preprocessor=True, has_orientation=True, has_unwarping=True)
    return {"preprocess": preprocess, "defaults": defaults}


def turned_pages() -> Sample:
    pages = [marked_page(300, 250, turns=turns, seed=turns) for turns in (1, 0, 2)]
    return Sample(tiff_of(pages), IMAGE, REGIONS)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
async def test_a_turned_document_is_answered_as_paddlex_does(pool, paddlex, stages, options):
    sample = turned_pages()
    models = Models(sample.pages)
    body = sample.body(**options)
    theirs = await ask_paddlex(models, body, preprocessor=paddlex)
    ours = await ask_ours(models, body, pool, stages=stages, pages_ahead=1)
    answer = assert_same(ours, theirs)
    assert sorted(models.asked) == sorted(models.vlm.asked)
    assert answer["result"]["dataInfo"]["pages"][0] == {"width": 250, "height": 300}


async def test_the_documents_are_what_they_are_for(pool, stages):
    sample = turned_pages()
    models = Models(sample.pages)
    await ask_paddlex(models, sample.body(visualize=False), preprocessor=load_nothing)
    answer = await ask_ours(Models([REGIONS[0]]), sample.body(visualize=True), pool, stages=stages)
    elements = answer.json()["result"]["layoutParsingResults"]
    assert [each["prunedResult"]["doc_preprocessor_res"]["angle"] for each in elements] == [90, 0, 180]
    assert [each["prunedResult"]["width"] for each in elements] == [300] * 3
    assert all(each["prunedResult"]["model_settings"]["use_doc_preprocessor"] for each in elements)
    assert all(set(each["outputImages"]) == {"preprocessed_img", "layout_det_res"} for each in elements)


def load_nothing(images, **options):
    return [{"output_img": image} for image in images]


@pytest.mark.parametrize(
    ("asked", "loaded", "said"),
    [
        ("useDocUnwarping", {"has_orientation": True}, "`useDocUnwarping` cannot be true"),
        ("useDocOrientationClassify", {"has_unwarping": True}, "`useDocOrientationClassify` cannot be true"),
    ],
)
async def test_one_that_is_not_loaded_is_refused_before_any_work(pool, stages, asked, loaded, said):
    sample = turned_pages()
    models = Models(sample.pages)
    refused = await ask_ours(
        models, sample.body(**{asked: True}), pool, stages={**stages, "defaults": ParseDefaults(**loaded)}
    )
    assert refused.status_code == 422
    assert said in refused.json()["errorMsg"]
    assert models.layout_options is None


async def test_a_page_that_cannot_be_preprocessed_costs_that_page(pool, stages):
    async def fail_the_upright(image, options):
        if image.shape[1] == 300 and image[10, 10, 2] == 255 and image[10, 10, 0] == 0:
            raise PageFailure("This page could not be preprocessed.")
        return await stages["preprocess"](image, options)

    answer = await ask_ours(
        Models([REGIONS[0]]), turned_pages().body(), pool, stages={**stages, "preprocess": fail_the_upright}
    )
    elements = answer.json()["result"]["layoutParsingResults"]
    assert [len(each.get("warnings", [])) for each in elements] == [0, 1, 0]
    assert elements[1]["warnings"][0]["message"] == "This page could not be preprocessed."
    assert elements[1]["prunedResult"]["doc_preprocessor_res"]["angle"] == -1
    assert elements[2]["prunedResult"]["parsing_res_list"]


async def test_a_model_that_is_gone_is_a_503(pool, stages):
    async def gone(image, options):
        raise PreprocessingUnavailable("The model document-preprocessing is not available; try again later.")

    answer = await ask_ours(
        Models(REGIONS),
        turned_pages().body(),
        pool,
        stages={**stages, "preprocess": gone},
        layout_patience=0.1,
    )
    assert answer.status_code == 503
    assert "document-preprocessing" in answer.json()["errorMsg"]
