from collections.abc import Iterator
from pathlib import Path

import pytest

from docparse.documents import RenderPool
from docparse.settings import Settings


@pytest.fixture(scope="session")
def pool() -> Iterator[RenderPool]:
    """Two render workers for every test that leaves them alive."""
    pool = RenderPool(workers=2, timeout_seconds=30, max_pixels=10**8)
    yield pool
    pool.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(spool_dir=tmp_path)
