"""The summary line, defects of ours, and what logs never say."""

import json
import logging

import pytest

from gateway.observability import JsonFormatter, TextFormatter
from tests.gateway.conftest import GOOD, assert_error


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.DEBUG, logger="gateway")

    def read():
        return [record for record in caplog.records if record.name == "gateway.access"]

    return read


async def test_one_line_sums_up_a_request(gateway, lines):
    await gateway.parse({**GOOD, "logId": "mine"}, headers={"X-Request-Id": "abc"})
    (line,) = lines()
    fields = line.fields
    assert fields["status"] == 200
    assert fields["path"] == "/layout-parsing"
    assert fields["pages"] == 1
    assert fields["kind"] == "png"
    assert fields["requestId"] == "abc"
    assert (
        0
        <= fields["queueSeconds"]
        <= fields["inferenceSeconds"] + fields["queueSeconds"]
        <= fields["seconds"]
    )
    assert fields["bodyBytes"] > fields["documentBytes"] > 0
    assert fields["answerBytes"] > 100


async def test_a_name_as_long_as_a_book_comes_back_and_is_cut_for_the_logs(gateway, triton):
    name = "x" * 3000
    assert (await gateway.parse({**GOOD, "logId": name})).json()["logId"] == name
    (received,) = triton.requests
    assert received.options["logId"] == received.request_id == name[:256]


async def test_a_failed_request_has_its_code_in_the_line(gateway, lines):
    await gateway.parse({})
    (line,) = lines()
    assert (line.fields["status"], line.fields["error"]) == (422, "invalid_request")


@pytest.mark.parametrize("log_id", ["\\ud800x", "\\udc00", "\udc00"])
async def test_a_log_id_that_is_no_text_costs_the_request_and_not_its_line(gateway, lines, log_id):
    body = f'{{"file": "{GOOD["file"]}", "logId": "{log_id}"}}'.encode(errors="surrogatepass")
    answer = await gateway.http.post("/layout-parsing", content=body)
    assert_error(answer, 400, "JSON")
    (line,) = lines()
    assert line.fields["status"] == 400
    assert JsonFormatter().format(line)


async def test_health_probes_are_for_debugging(gateway, lines):
    await gateway.http.get("/health")
    (line,) = lines()
    assert line.levelno == logging.DEBUG


async def test_a_query_is_not_logged(gateway, caplog):
    caplog.set_level(logging.DEBUG, logger="gateway")
    await gateway.http.post("/layout-parsing?token=secret", json={"file": "http://127.0.0.1/?token=secret"})
    assert caplog.records
    for record in caplog.records:
        if record.name.startswith("gateway"):
            assert "secret" not in JsonFormatter().format(record)


async def test_a_defect_of_ours_is_in_the_log_under_the_log_id_of_its_answer(gateway, caplog):
    async def broken(request):
        raise RuntimeError("secret inside")

    gateway.app.router.add_route("/broken", broken)
    answer = await gateway.http.get("/broken", headers={"X-Request-Id": "abc"})
    assert_error(answer, 500, "logId")
    assert answer.json()["logId"] == answer.headers["X-Request-Id"] == "abc"
    assert any(record.exc_info and "secret inside" in str(record.exc_info[1]) for record in caplog.records)
    await gateway.assert_still_good()


def record_with(**fields) -> logging.LogRecord:
    record = logging.LogRecord("gateway.x", logging.INFO, "", 0, "hello %s", ("you",), None)
    record.fields = fields
    return record


def test_text_lines_cannot_be_forged():
    line = TextFormatter().format(record_with(path="/a b\nINFO forged", count=3))
    assert "\n" not in line
    assert line.endswith('INFO gateway.x hello you path="/a b\\nINFO forged" count=3')


def test_json_lines_are_json():
    line = json.loads(JsonFormatter().format(record_with(path="/a\n")))
    assert line["message"] == "hello you"
    assert line["path"] == "/a\n"
