import numpy as np

from docparse.layout.detector import LayoutOptions
from docparse.layout.engines import load_detector
from docparse.layout.labels import LABELS
from docparse.layout.settings import LayoutSettings


def test_the_engine_that_the_settings_name_answers_in_the_labels_of_the_model():
    detector = load_detector(LayoutSettings(layout_engine="cdla", layout_threads=1))
    assert tuple(detector.labels) == tuple(LABELS)
    assert detector.detect([np.full((80, 60, 3), 255, np.uint8)], [LayoutOptions()]) == [[]]
