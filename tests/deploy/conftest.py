"""Hosts and hubs for prepare.sh."""

import pytest

from tests.deploy.host import Host
from tests.deploy.hub import running_hub


@pytest.fixture
def host(tmp_path) -> Host:
    return Host.make(tmp_path / "host")


@pytest.fixture
def hub():
    with running_hub() as running:
        yield running
