"""Which layout engine runs, by the setting HPS_LAYOUT_ENGINE."""

from collections.abc import Callable, Mapping

from docparse.layout.cdla import CdlaDetector
from docparse.layout.detector import LayoutDetector
from docparse.settings import Settings


def load_detector(settings: Settings) -> LayoutDetector:
    """Load the engine that the settings name; its weights come from the disk, never the network.

    Raises:
        FileNotFoundError: the engine's weights are not installed.
    """
    engines: Mapping[str, Callable[[], LayoutDetector]] = {
        "cdla": lambda: CdlaDetector(intra_op_threads=settings.layout_threads),
    }
    return engines[settings.layout_engine]()
