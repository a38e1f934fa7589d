import pytest
from pydantic_core import from_json

from gateway.errors import InvalidRequest
from gateway.models.labels import LABELS, label_of
from gateway.models.requests import LayoutParsingRequest, validate_request

NEVER_NULL = [
    "layoutShapeMode",
    "prettifyMarkdown",
    "showFormulaNumber",
    "returnMarkdownImages",
    "restructurePages",
    "mergeTables",
    "relevelTitles",
    "file",
]


def check(**fields):
    return validate_request({"file": "x", **fields})


def refusal(**fields) -> str:
    with pytest.raises(InvalidRequest) as caught:
        check(**fields)
    return caught.value.message


def test_unknown_fields_are_ignored():
    assert check(somethingElse=1).file == "x"


@pytest.mark.parametrize(("given", "kept"), [(0, 0), (1, 1), (True, 1), (False, 0), (1.0, 1), (None, None)])
def test_file_type_is_as_lenient_as_clients_need(given, kept):
    assert check(fileType=given).file_type == kept


@pytest.mark.parametrize("given", ["1", "0", 2, -1, 0.5, [], {}])
def test_other_file_types_are_refused_by_name(given):
    assert "`fileType`" in refusal(fileType=given)


@pytest.mark.parametrize("field", NEVER_NULL)
def test_fields_with_a_plain_default_refuse_null(field):
    assert f"`{field}`" in refusal(**{field: None})


def test_all_other_fields_take_null():
    fields = {field.alias for field in LayoutParsingRequest.model_fields.values()} - set(NEVER_NULL)
    request = check(**dict.fromkeys(fields))
    assert request.to_parse_wire()["visualize"] is None


@pytest.mark.parametrize("given", [None, True, False])
def test_whether_to_visualize_is_the_pipelines_to_say_when_the_request_does_not(given):
    assert check(visualize=given).to_parse_wire()["visualize"] is given


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layoutThreshold", -0.1),
        ("layoutThreshold", 1.1),
        ("layoutThreshold", "high"),
        ("layoutThreshold", {"text": 2}),
        ("layoutThreshold", [0.5]),
        ("layoutUnclipRatio", 0),
        ("layoutUnclipRatio", [1.0]),
        ("layoutUnclipRatio", [1.0, -1]),
        ("layoutUnclipRatio", {"text": [1, 2, 3]}),
        ("layoutMergeBboxesMode", "biggest"),
        ("layoutMergeBboxesMode", {"text": 1}),
        ("layoutShapeMode", "circle"),
        ("promptLabel", "poem"),
        ("repetitionPenalty", 0),
        ("temperature", -1),
        ("topP", 0),
        ("topP", 1.5),
        ("minPixels", 0),
        ("maxPixels", 1.5),
        ("maxNewTokens", -5),
        ("markdownIgnoreLabels", "header"),
        ("vlmExtraArgs", []),
        ("vlmExtraArgs", {"a": [{"b": 2**64}]}),
        ("vlmExtraArgs", {"a": -(2**63) - 1}),
        ("outputFormats", ["odt"]),
        ("useLayoutDetection", "perhaps"),
        ("logId", 5),
        ("logId", "x" * 70_000),
        ("pageRanges", "3-1"),
        ("pageRanges", "0"),
        ("pageRanges", "a"),
        ("pageRanges", ""),
        ("pageRanges", "1,,2"),
        ("temperature", float("nan")),
        ("topP", float("inf")),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence_that_names_its_field(field, value):
    message = refusal(**{field: value})
    assert message.startswith(f"`{field}`")
    assert message.endswith(".")


@pytest.mark.parametrize("field", ["layoutThreshold", "layoutUnclipRatio", "layoutMergeBboxesMode"])
@pytest.mark.parametrize("key", ["25", "-1", "sentence", "", "\uff12"])
def test_an_unknown_class_is_refused(field, key):
    value = "large" if field == "layoutMergeBboxesMode" else 0.5
    assert f"`{field}` has no class" in refusal(**{field: {key: value}})


def test_classes_are_named_by_id_or_label_and_sent_as_labels():
    wire = check(
        layoutThreshold={"22": 0.3, "image": 1},
        layoutUnclipRatio={"table": [1, 1.2], "0": 1.1},
        layoutMergeBboxesMode={"seal": "union"},
    ).to_parse_wire()
    assert wire["layout_threshold"] == {"text": 0.3, "image": 1.0}
    assert wire["layout_unclip_ratio"] == {"table": (1.0, 1.2), "abstract": 1.1}
    assert wire["layout_merge_bboxes_mode"] == {"seal": "union"}


def test_a_class_named_twice_is_refused():
    assert "twice" in refusal(layoutThreshold={"22": 0.3, "text": 0.4})


def test_unclip_ratio_takes_width_and_height():
    assert check(layoutUnclipRatio=[1.0, 1.5]).to_parse_wire()["layout_unclip_ratio"] == (1.0, 1.5)


def test_the_pixel_range_must_not_be_empty():
    message = refusal(minPixels=200, maxPixels=100)
    assert "`minPixels`" in message
    assert "`maxPixels`" in message


def test_page_ranges_are_sent_without_spaces():
    assert check(pageRanges=" 1 - 3, 7 ").to_parse_wire()["page_ranges"] == "1-3,7"


def test_several_problems_are_told_at_once_and_not_endlessly():
    message = refusal(fileType=9, topP=9, temperature=-9, minPixels=-9, maxPixels=-9)
    assert message.count("`") == 6
    assert message.endswith("And 2 more.")


def test_values_are_not_repeated_in_refusals():
    assert "secret" not in refusal(layoutShapeMode="secret", useLayoutDetection="secret")


@pytest.mark.parametrize("data", [[], "text", 5, None])
def test_a_body_that_is_no_object_is_told_so(data):
    with pytest.raises(InvalidRequest, match="JSON object"):
        validate_request(data)


def test_a_missing_file_is_named():
    with pytest.raises(InvalidRequest, match="`file` is required"):
        validate_request({})


def test_not_a_number_is_no_json():
    with pytest.raises(ValueError, match=r"NaN|expected"):
        from_json(b'{"temperature": NaN}', allow_inf_nan=False)


def test_there_are_25_labels_and_ids_are_their_positions():
    assert len(LABELS) == 25
    assert [label_of(str(index)) for index in range(25)] == list(LABELS) == sorted(LABELS)
