"""Dify's PaddleOCR plugin 0.1: the form's defaults, its reading of answers, its messages for each kind of error."""

import base64
from typing import Any

import pytest
import requests

from deploy.local.process import running_stack
from tests.clients.answers import picture
from tests.clients.conftest import EXAMPLES, KEY

# What its form sends when nothing was changed; `fileType` "auto" becomes null.
DEFAULTS: dict[str, Any] = {
    "fileType": None,
    "useDocOrientationClassify": False,
    "useDocUnwarping": False,
    "useLayoutDetection": True,
    "useChartRecognition": False,
    "useSealRecognition": False,
    "layoutNms": True,
    "layoutShapeMode": "auto",
    "formatBlockContent": False,
    "prettifyMarkdown": True,
    "showFormulaNumber": False,
    "restructurePages": False,
    "mergeTables": True,
    "relevelTitles": True,
    "visualize": False,
}


class PluginError(Exception):
    """The message that its user sees."""


def invoke(url: str, file: str, token: str = "a-token", **parameters: Any) -> dict[str, Any]:
    answer = requests.post(
        f"{url}/layout-parsing",
        headers={"Client-Platform": "dify", "Authorization": f"token {token}"},
        json={"file": file, **DEFAULTS, **parameters},
        timeout=120,
    )
    status = answer.status_code
    if status in {400, 422}:
        said = answer.json()
        raise PluginError(f"{status}: code={said['errorCode']}, msg={said['errorMsg']}")
    for statuses, message in (
        ({401, 403}, "authorization failed"),
        ({429}, "rate limit exceeded"),
        ({500, 502, 503, 504}, "service unavailable"),
    ):
        if status in statuses:
            raise PluginError(f"{message} ({status})")
    answer.raise_for_status()
    body = answer.json()
    if body.get("errorCode") != 0:
        raise PluginError(f"code={body.get('errorCode')}")
    return body["result"]


def encoded(name: str) -> str:
    return base64.b64encode((EXAMPLES / name).read_bytes()).decode()


def test_the_defaults_of_its_form_read_a_document(url):
    result = invoke(url, encoded("paper.pdf"))
    text = "\n\n".join(page["markdown"]["text"] for page in result["layoutParsingResults"])
    assert "Garden Pond" in text
    assert all(isinstance(page["markdown"]["images"], dict) for page in result["layoutParsingResults"])


def test_an_address_without_an_extension_is_fetched(url, web):
    """Dify's own addresses of files end in /file-preview?..."""
    address = web("/files/1b4e/file-preview?timestamp=1&sign=x", (EXAMPLES / "invoice.png").read_bytes())
    result = invoke(url, address)
    assert "INVOICE" in result["layoutParsingResults"][0]["markdown"]["text"]


def test_numbers_of_its_form_may_come_as_floats(url):
    result = invoke(
        url,
        encoded("invoice.png"),
        temperature=0.0,
        topP=1.0,
        repetitionPenalty=1.0,
        minPixels=112896.0,
        maxPixels=1003520.0,
        maxNewTokens=2048.0,
        markdownIgnoreLabels=["header", "footer", "page_number"],
    )
    assert "INVOICE" in result["layoutParsingResults"][0]["markdown"]["text"]


@pytest.mark.parametrize(
    ("file", "parameters", "said"),
    [
        ("bm9uc2Vuc2U=", {}, "422: code=422, msg=`file` must be"),
        ("", {}, "422: code=422, msg=`file` is empty"),
        ("http://127.0.0.1/private", {}, "422: code=422, msg=`file`"),
        ("bm9uc2Vuc2U=", {"topP": 2}, "422: code=422, msg=`topP`"),
    ],
)
def test_what_the_user_did_wrong_reaches_the_user(url, file, parameters, said):
    with pytest.raises(PluginError) as caught:
        invoke(url, file, **parameters)
    assert str(caught.value).startswith(said)


def test_a_full_service_is_a_rate_limit(own_gateway):
    long = {"file": encoded("paper.pdf"), "visualize": False}
    with own_gateway(HPS_MAX_CONCURRENT_REQUESTS="1", HPS_MAX_QUEUED_REQUESTS="0") as busy:
        accept = {"Accept": "application/x-ndjson"}
        with requests.post(
            f"{busy}/layout-parsing", json=long, headers=accept, stream=True, timeout=120
        ) as first:
            lines = first.iter_lines()  # dropped, it would hang up
            assert next(lines)
            with pytest.raises(PluginError, match=r"rate limit exceeded \(429\)"):
                invoke(busy, encoded("invoice.png"))


def test_a_tier_that_is_down_is_a_service_that_is_unavailable(own_gateway):
    with (
        own_gateway(HPS_TRITON_URL="127.0.0.1:9") as lame,
        pytest.raises(PluginError, match=r"service unavailable \(503\)"),
    ):
        invoke(lame, encoded("invoice.png"))


def test_a_document_that_takes_too_long_is_a_service_that_is_unavailable(own_gateway):
    with (
        own_gateway(HPS_INFERENCE_TIMEOUT="0.2") as slow,
        pytest.raises(PluginError, match=r"service unavailable \(504\)"),
    ):
        invoke(slow, encoded("paper.pdf"))


def test_a_wrong_key_is_an_authorization_that_failed_and_the_right_one_is_let_in(keyed_url):
    with pytest.raises(PluginError, match=r"authorization failed \((401|403)\)"):
        invoke(keyed_url, encoded("invoice.png"))
    assert invoke(keyed_url, encoded("invoice.png"), KEY)["layoutParsingResults"]


def test_pictures_that_come_as_links_are_downloaded_and_shown(tmp_path):
    """It asks for each picture's address as it stands, without its token."""
    with running_stack(tmp_path / "stack.log", {"HPS_IMAGE_STORE": "local"}) as stack:
        result = invoke(stack.url, encoded("paper.pdf"))
        links = {
            key: link
            for page in result["layoutParsingResults"]
            for key, link in page["markdown"]["images"].items()
        }
        text = "\n\n".join(page["markdown"]["text"] for page in result["layoutParsingResults"])
        assert len(links) == 2
        for key, link in links.items():
            assert f'src="{key}"' in text
            answer = requests.get(link, timeout=(10, 600))
            answer.raise_for_status()
            assert picture(answer.content).format == "JPEG"
