import pytest

from docparse.layout.cdla import CdlaDetector
from tests.networks.detectors import layout_folders, paddlex_detectors, paddlex_predictors

__all__ = ["detector", "layout_folders", "paddlex_detectors", "paddlex_predictors"]


@pytest.fixture(scope="session")
def detector() -> CdlaDetector:
    return CdlaDetector(intra_op_threads=2)
