from typing import Any

import pytest

from tests.gateway.conftest import GOOD, PNG, assert_error

FILE = {"file": ("page.png", PNG, "image/png")}


async def upload(gateway, files=None, **fields):
    return await gateway.http.post("/layout-parsing", files=FILE if files is None else files, data=fields)


async def test_an_uploaded_file_is_parsed(gateway, triton):
    answer = await upload(gateway)
    assert answer.json()["errorMsg"] == "Success"
    assert triton.requests[0].document == PNG


async def test_a_large_upload_crosses_whole(gateway, triton):
    content = PNG + bytes(range(256)) * 20_000
    assert (await upload(gateway, {"file": ("page.png", content)})).status_code == 200
    assert triton.requests[0].document == content


async def test_fields_are_options(gateway, triton):
    answer = await upload(
        gateway,
        fileType="1",
        logId="123",
        pageRanges="1",
        useChartRecognition="true",
        useSealRecognition="False",
        layoutThreshold='{"text": 0.3}',
        layoutUnclipRatio="[1, 1.5]",
        layoutMergeBboxesMode="large",
        promptLabel="table",
        maxNewTokens="100",
        markdownIgnoreLabels=["header", "footer"],
        outputFormats="docx",
        vlmExtraArgs='{"table_max_pixels": 5}',
        temperature="",
    )
    assert answer.json()["logId"] == "123"
    wire = triton.requests[0].options["parse"]
    assert wire["use_chart_recognition"] is True
    assert wire["use_seal_recognition"] is False
    assert wire["page_ranges"] == "1"
    assert wire["layout_threshold"] == {"text": 0.3}
    assert wire["layout_unclip_ratio"] == [1.0, 1.5]
    assert wire["layout_merge_bboxes_mode"] == "large"
    assert wire["prompt_label"] == "table"
    assert wire["max_new_tokens"] == 100
    assert wire["markdown_ignore_labels"] == ["header", "footer"]
    assert wire["output_formats"] == ["docx"]
    assert wire["vlm_extra_args"] == {"table_max_pixels": 5}
    assert wire["temperature"] is None


@pytest.mark.parametrize("labels", ["header,footer", '["header", "footer"]'])
async def test_lists_come_by_commas_or_json(gateway, triton, labels):
    await upload(gateway, markdownIgnoreLabels=labels)
    assert triton.requests[0].options["parse"]["markdown_ignore_labels"] == ["header", "footer"]


async def test_width_and_height_come_by_json_or_by_repeating(gateway, triton):
    for ratio in ("[1.0, 1.5]", ["1.0", "1.5"]):
        assert (await upload(gateway, layoutUnclipRatio=ratio)).status_code == 200
        assert triton.requests[-1].options["parse"]["layout_unclip_ratio"] == [1.0, 1.5]
    assert_error(await upload(gateway, layoutUnclipRatio=["1", "2", "3"]), 422, "`layoutUnclipRatio`")


async def test_null_in_a_form_is_the_default(gateway, triton):
    assert (await upload(gateway, promptLabel="null", pageRanges="null", topP="null")).status_code == 200
    wire = triton.requests[0].options["parse"]
    assert wire["prompt_label"] is wire["page_ranges"] is wire["top_p"] is None


async def test_unknown_fields_are_ignored_however_often_they_come(gateway):
    assert (await upload(gateway, other=["1", "2"])).status_code == 200


async def test_base64_in_a_form_field_works_too(gateway, triton):
    answer = await upload(gateway, files={"file": (None, GOOD["file"])})
    assert answer.status_code == 200
    assert triton.requests[0].document == PNG


async def test_bad_fields_are_named(gateway):
    assert_error(await upload(gateway, fileType="2"), 422, "`fileType`")
    assert_error(await upload(gateway, fileType="0"), 422, "`fileType` is 0 (PDF)", "PNG")
    assert_error(await upload(gateway, temperature="NaN"), 422, "`temperature`")
    assert_error(await upload(gateway, temperature=["1", "2"]), 422, "`temperature` is given 2 times")
    assert_error(await upload(gateway, {"other": (None, "x")}), 422, "`file` is required")
    assert_error(await upload(gateway, {"file": ("a.png", b"")}), 422, "`file` is empty")
    await gateway.assert_still_good()


async def test_an_option_that_is_a_file_is_refused(gateway):
    files = {"file": (None, GOOD["file"]), "temperature": ("t.txt", b"1")}
    assert_error(await upload(gateway, files), 422, "`temperature`")


async def test_two_files_are_refused(gateway):
    files = [("file", ("a.png", PNG)), ("file", ("b.png", PNG))]
    assert_error(await upload(gateway, files), 400, "form")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"not a form"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"),
    ],
)
async def test_a_broken_form_is_told_so(gateway, content_type, body):
    headers = {"Content-Type": content_type}
    answer = await gateway.http.post("/layout-parsing", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert_error(answer, answer.status_code)
    await gateway.assert_still_good()


def form(charset: str, **fields: str) -> dict[str, Any]:
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in fields.items()]
    body = "".join(f"--x\r\n{part}\r\n" for part in parts) + "--x--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary=x; charset{charset}".encode()}
    return {"content": body.encode(), "headers": headers}


@pytest.mark.parametrize("charset", ["=utf-8", "=UTF8", '="utf-8"', "=us-ascii", "=ISO-8859-1"])
async def test_a_form_may_say_its_charset(gateway, charset):
    answer = await gateway.http.post("/layout-parsing", **form(charset, file=GOOD["file"], logId="mine"))
    assert (answer.status_code, answer.json()["logId"]) == (200, "mine")


@pytest.mark.parametrize(
    "charset",
    [
        "=undefined",
        "=punycode",
        "=raw_unicode_escape",
        "=unicode_escape",
        "=utf-16",
        "=idna",
        "=no-such",
        "=",
        "=\u00e9",
    ],
)
async def test_a_form_in_another_charset_is_refused_and_stands_in_the_log(gateway, charset, caplog):
    caplog.set_level("INFO", logger="gateway.access")
    request = form(charset, file=GOOD["file"], logId="\\ud800x")
    answer = await gateway.http.post("/layout-parsing", **request)
    assert_error(answer, 400, "charset", "UTF-8")
    (line,) = (record.fields for record in caplog.records if record.name == "gateway.access")
    assert (line["status"], line["error"]) == (400, "malformed_request")
    await gateway.assert_still_good()
