"""The pipeline configuration file of PaddleX and PaddleOCR-VL, in the form in which people have it.

`schema.py` says what it may hold, `reading.py` reads and checks it, `settings.py` lays it below the environment's
variables. What PaddleOCR-VL ships is in the two YAML files here.
"""

from docparse.pipeline_config.reading import PipelineConfigError, read_pipeline_config
from docparse.pipeline_config.schema import PipelineConfig
from docparse.pipeline_config.settings import ConfiguredSettings

__all__ = ["ConfiguredSettings", "PipelineConfig", "PipelineConfigError", "read_pipeline_config"]
