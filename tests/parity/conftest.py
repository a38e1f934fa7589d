from collections.abc import Iterator

import pytest

from docparse.documents import RenderPool

pytest.register_assert_rewrite("tests.parity.comparing")


@pytest.fixture(scope="session")
def pool() -> Iterator[RenderPool]:
    pool = RenderPool(workers=2, timeout_seconds=30)
    yield pool
    pool.close()
