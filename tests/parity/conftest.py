from collections.abc import Iterator

import pytest

from docparse.documents import RenderPool
from tests.networks.detectors import layout_folders, paddlex_detectors, paddlex_predictors

__all__ = ["layout_folders", "paddlex_detectors", "paddlex_predictors", "pool"]

pytest.register_assert_rewrite("tests.parity.comparing")


@pytest.fixture(scope="session")
def pool() -> Iterator[RenderPool]:
    pool = RenderPool(workers=2, timeout_seconds=30, max_pixels=10**8)
    yield pool
    pool.close()
