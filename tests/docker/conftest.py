"""Real images, real containers, the real compose file. Run by `make test-docker`, never by `make test`.

Needs a Docker daemon (DOCKER_HOST as usual) on this machine, Docker Compose (2 or 1.29), and a package index. Images
have names of their own (hps-test/...), which stay for the next run; `docker image rm` them when they are in the way.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.composing import compose_command
from tests.docker.project import ROOT, Project, models_folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; leave them out unless `-m` asks for docker, whatever else it asks for."""
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in ours:
        item.add_marker(pytest.mark.docker)
    if "docker" not in config.option.markexpr:
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)


@pytest.fixture(scope="session")
def docker() -> None:
    """Skips where there is no daemon, or nothing to build on."""
    try:
        done = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no `docker` here")
    if done.returncode != 0:
        pytest.skip(f"no Docker daemon answers: {done.stderr.strip().splitlines()[-1]}")
    if compose_command() is None:
        pytest.skip("no Docker Compose here")


@pytest.fixture(scope="session")
def built(docker) -> Project:
    """The images of the stack `cpu`, built from the Dockerfiles by the compose file."""
    project = Project("hps-test", {"HPS_STACK": "cpu"})
    project.compose("build", seconds=1800)
    return project


@pytest.fixture(scope="session")
def models(docker) -> Iterator[Path]:
    """A folder below compose.yaml, as HPS_MODELS_DIR has to be."""
    with models_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def stack(built, models) -> Iterator[Project]:
    """The stack `cpu`, up and healthy; pictures as URLs, so that the volume of both tiers is used."""
    settings = {
        "HPS_STACK": "cpu",
        "HPS_MODELS_DIR": str(models.relative_to(ROOT)),
        "HPS_IMAGE_STORE": "local",
        "HPS_IMAGE_STORE_SECRET": "a secret of the tests alone",
        "UVICORN_WORKERS": "2",
    }
    project = Project("hps-test", settings)
    with project.running():
        yield project
