import asyncio

import pytest

from tests.fakes.vlm import running_vlm
from tests.fakes.web import running_web
from tests.gateway.conftest import assert_error

DEAD = "http://127.0.0.1:1"


async def test_health_says_that_the_process_serves(gateway, triton):
    await triton.stop()
    answer = await gateway.http.get("/health", headers={"X-Request-Id": "abc"})
    assert answer.status_code == 200
    assert answer.json() == {"logId": "abc", "errorCode": 0, "errorMsg": "Healthy"}


async def test_ready_when_triton_its_models_and_one_vlm_answer(start_gateway):
    async with running_vlm() as vlm:
        gateway = await start_gateway(vlm_urls=(DEAD, f"{vlm.url}/v1/"))
        answer = await gateway.http.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["errorMsg"] == "Ready"


async def test_what_is_missing_is_named(start_gateway, triton):
    async with running_vlm() as vlm:
        gateway = await start_gateway(vlm_urls=(vlm.url,))
        triton.ready_models.remove("layout-detection")
        vlm.healthy = False
        answer = await gateway.http.get("/health/ready")
        assert_error(answer, 503, "model 'layout-detection' not ready", f"no VLM server healthy ({vlm.url})")
        assert "layout-parsing" not in answer.text


async def test_a_model_that_triton_was_told_to_load_is_waited_for(start_gateway, triton):
    async with running_vlm() as vlm:
        triton.models.add("document-preprocessing")
        gateway = await start_gateway(vlm_urls=(vlm.url,))
        answer = await gateway.http.get("/health/ready")
        assert_error(answer, 503, "model 'document-preprocessing' not ready")
        assert "layout" not in answer.text
        triton.ready_models.add("document-preprocessing")
        gateway = await start_gateway(vlm_urls=(vlm.url,))
        assert (await gateway.http.get("/health/ready")).status_code == 200


async def test_a_model_that_triton_was_not_told_to_load_is_missed_all_the_same(start_gateway, triton):
    async with running_vlm() as vlm:
        triton.models.remove("restructure-pages")
        triton.ready_models.remove("restructure-pages")
        gateway = await start_gateway(vlm_urls=(vlm.url,))
        assert_error(await gateway.http.get("/health/ready"), 503, "model 'restructure-pages' not ready")


async def test_a_dead_triton_is_named(start_gateway, triton):
    async with running_vlm() as vlm:
        gateway = await start_gateway(vlm_urls=(vlm.url,))
        await triton.stop()
        assert_error(await gateway.http.get("/health/ready"), 503, "Triton not live")


@pytest.mark.parametrize("vlm_hangs", [True, False])
async def test_probes_share_one_clock(start_gateway, triton, vlm_hangs):
    async def hang():
        await asyncio.Event().wait()

    if not vlm_hangs:
        triton.before_health = hang
    async with asyncio.timeout(5), running_web() as web:
        web.serve("/health", b"")
        if vlm_hangs:
            web.hang("/health")
        gateway = await start_gateway(vlm_urls=(web.at(""), web.at("")), health_check_timeout_seconds=0.3)
        word = "no VLM server healthy" if vlm_hangs else "Triton not live"
        assert_error(await gateway.http.get("/health/ready"), 503, word)


async def test_probes_that_come_together_share_one_answer(start_gateway, triton):
    async with running_vlm() as vlm:
        gateway = await start_gateway(vlm_urls=(vlm.url,))
        answers = await asyncio.gather(*(gateway.http.get("/health/ready") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert triton.health_calls == 1


async def test_a_password_in_the_address_of_a_vlm_server_is_not_told(start_gateway):
    gateway = await start_gateway(vlm_urls=("http://me:secret@127.0.0.1:1",))
    answer = await gateway.http.get("/health/ready")
    assert_error(answer, 503, "no VLM server healthy (http://127.0.0.1:1)")
