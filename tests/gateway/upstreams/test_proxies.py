"""A proxy in the environment is for the world outside; Docker hands that of ~/.docker/config.json to containers."""

import pytest

from gateway.main import create_app
from gateway.settings import Settings
from tests.fakes.vlm import running_vlm
from tests.gateway.conftest import GOOD, serving


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "grpc_proxy"])
async def test_a_proxy_does_not_come_between_the_tiers(triton, start_gateway, monkeypatch, variable):
    other = await start_gateway()  # whose client is made before the variable is set, and does not obey it
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with running_vlm() as vlm:
        app = create_app(Settings(triton_url=triton.url, vlm_urls=(vlm.url,)))
        async with serving(app) as url:
            assert (await other.http.post(f"{url}/layout-parsing", json=GOOD)).status_code == 200
            assert (await other.http.get(f"{url}/health/ready")).status_code == 200
