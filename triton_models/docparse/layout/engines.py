"""Which layout engine runs, by the setting HPS_LAYOUT_ENGINE."""

from collections.abc import Callable, Mapping

from docparse.layout.detector import LayoutDetector, LayoutOptions
from docparse.layout.settings import LayoutSettings
from docparse.pipeline_config import read_pipeline_config
from docparse.pipeline_config.settings import PipelineFileSettings


def load_detector(settings: LayoutSettings) -> LayoutDetector:
    """Load the engine that the settings name; its weights come from the disk, never the network.

    Raises:
        FileNotFoundError: the engine's weights are not there.
    """
    engines: Mapping[str, Callable[[LayoutSettings], LayoutDetector]] = {
        "cdla": _load_cdla,
        "paddlex": _load_paddlex,
    }
    return engines[settings.layout_engine](settings)


# An engine is imported when it is the one that runs: each brings much with it.


def _load_cdla(settings: LayoutSettings) -> LayoutDetector:
    from docparse.layout.cdla import CdlaDetector  # noqa: PLC0415

    return CdlaDetector(intra_op_threads=settings.threads)


def _load_paddlex(settings: LayoutSettings) -> LayoutDetector:
    from docparse.layout.paddlex import PaddlexDetector  # noqa: PLC0415
    from docparse.paddlex_models import ModelPlace  # noqa: PLC0415

    file = read_pipeline_config(PipelineFileSettings().pipeline_config, settings.layout_model)
    place = ModelPlace(
        settings.layout_model,
        settings.model_dir,
        settings.layout_paddlex_engine,
        settings.layout_device,
        settings.threads,
        file.layout.engine_config or file.engine_config,
    )
    defaults = LayoutOptions(
        threshold=file.layout.threshold,
        nms=file.layout.layout_nms,
        unclip_ratio=file.layout.layout_unclip_ratio,
        merge_bboxes_mode=file.layout.layout_merge_bboxes_mode,
    )
    return PaddlexDetector(place, defaults, batch_size=settings.layout_batch_size)
