"""Every way to fail, through HTTP: its status, its sentence, its code in the log, and the advice to come back."""

import asyncio
import logging
from typing import Any

import pytest

from gateway.errors import GatewayError
from tests.fakes.vlm import FakeVlm, running_vlm
from tests.gateway.raw import exchange
from tests.gateway.routes import errors_of_requests, errors_of_tiers  # noqa: F401  they fill `CASES`
from tests.gateway.routes.bad_requests import BAD_REQUESTS
from tests.gateway.routes.error_stage import CASES, Stage
from tests.gateway.waiting import eventually


@pytest.fixture
def access_lines(caplog):
    caplog.set_level(logging.DEBUG, logger="gateway.access")

    def read():
        return [record.fields for record in caplog.records if record.name == "gateway.access"]

    return read


@pytest.fixture
async def set_stage(start_gateway, triton):
    async with running_vlm() as vlm:

        async def start(**settings: Any) -> Stage:
            return Stage(await start_gateway(vlm_urls=(vlm.url,), **settings), triton, vlm)

        yield start


@pytest.mark.parametrize("name", CASES)
async def test_an_error_has_its_status_its_sentence_and_its_code(set_stage, access_lines, name):
    case = CASES[name]
    stage = await set_stage(**case.settings)
    answer = await case.produce(stage)
    sentence = case.sentence.format(vlm=stage.vlm.url)
    assert answer.status_code == case.status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "logId": answer.headers["X-Request-Id"],
        "errorCode": case.status,
        "errorMsg": sentence,
    }
    assert "secret" not in answer.text
    if "Retry-After" in answer.headers:
        assert int(answer.headers["Retry-After"]) >= 1
    assert ("Retry-After" in answer.headers) == (case.status in (429, 503))
    assert ("WWW-Authenticate" in answer.headers) == (case.status == 401)
    assert ("Allow" in answer.headers) == (case.status == 405)
    (line,) = access_lines()
    assert (line["status"], line["error"]) == (case.status, case.code)
    await assert_described(stage, line["method"].lower(), line["path"], case.status)


async def assert_described(stage: Stage, method: str, path: str, status: int) -> None:
    """The API pages say that this operation may answer so."""
    operation = (await stage.get("/openapi.json")).json()["paths"].get(path, {}).get(method)
    if operation is not None:
        assert str(status) in operation["responses"]


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_costs_nobody_else(gateway, triton, name):
    await CASES[name].produce(Stage(gateway, triton, FakeVlm()))
    assert not triton.requests
    await gateway.assert_still_good()


async def test_a_client_that_left_is_logged_as_499(set_stage, access_lines):
    stage = await set_stage()
    head = "POST /layout-parsing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    with pytest.raises(asyncio.IncompleteReadError):
        await exchange(stage.gateway.url, head, hang_up=True)
    await eventually(lambda: bool(access_lines()))
    (line,) = access_lines()
    assert (line["status"], line["error"]) == (499, "client_gone")


def test_no_code_is_left_out():
    def codes(kind: type[GatewayError]) -> set[str]:
        return {kind.code}.union(*(codes(each) for each in kind.__subclasses__()))

    produced = {case.code for case in CASES.values()} | {"client_gone", "reader_too_slow"}
    assert codes(GatewayError) - produced == set()
