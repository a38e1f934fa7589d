from collections.abc import Iterator
from pathlib import Path

import pytest

from docparse.documents import RenderPool
from docparse.settings import Settings


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    pool = RenderPool(workers=2, timeout_seconds=30)
    yield pool
    pool.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(spool_dir=tmp_path)
