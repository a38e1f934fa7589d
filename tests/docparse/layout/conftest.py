import pytest

from docparse.layout.cdla import CdlaDetector


@pytest.fixture(scope="session")
def detector() -> CdlaDetector:
    return CdlaDetector(intra_op_threads=2)
