"""What an operator can set about layout detection, by environment or in the pipeline configuration file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from docparse.pipeline_config import ConfiguredSettings, PipelineConfig
from docparse.pipeline_config.schema import LayoutModel, PaddlexEngine

# Of a model of PaddleX.
Device = Annotated[
    str,
    Field(pattern=r"^(cpu|gpu(:\d+)?)$"),
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]

# Beyond two threads the CPU engine gains little; PP-DocLayout goes on gaining.
_CDLA_THREADS = 2


class LayoutSettings(ConfiguredSettings):
    """Read by the model `layout-detection`, and by the launcher, which checks it."""

    layout_engine: Literal["cdla", "paddlex"] = Field(
        "cdla",
        description="Layout detector: `cdla` runs on a CPU, its weights are in its wheel; `paddlex` is PP-DocLayoutV2 "
        "or V3. Default: `paddlex` with a pipeline configuration file, else `cdla`.",
    )
    layout_model: LayoutModel = Field("PP-DocLayoutV2", description="`paddlex`: the model.")
    layout_model_dir: Path | None = Field(
        None, description="`paddlex`: folder with the model's files. Default: `models/` and the model's name."
    )
    layout_device: Device = Field(
        "cpu",
        description="Where layout detection (`paddlex`) and document preprocessing run: `cpu`, `gpu` or `gpu:1`.",
    )
    layout_paddlex_engine: PaddlexEngine = Field(
        "onnxruntime",
        description="`paddlex`: PaddleX's inference engine; only what `onnxruntime` needs is installed.",
    )
    layout_threads: int | None = Field(
        None,
        ge=1,
        description="CPU threads of one layout inference. Default: 2 for `cdla`, as many as CPUs for `paddlex`.",
    )
    layout_batch_size: int = Field(8, ge=1, le=64, description="Most pages that are laid out together.")

    @classmethod
    def from_file(cls, config: PipelineConfig, known: Mapping[str, Any], *, is_named: bool) -> dict[str, Any]:  # noqa: ARG003  the interface's
        """See `ConfiguredSettings`."""
        return {
            "layout_engine": "paddlex" if is_named else None,
            "layout_model": config.layout.model_name,
            "layout_model_dir": config.layout.model_dir,
            "layout_paddlex_engine": config.layout.engine or config.engine,
            "layout_batch_size": config.layout.batch_size,
        }

    @property
    def threads(self) -> int:
        """CPU threads of one inference."""
        return self.layout_threads or (_CDLA_THREADS if self.layout_engine == "cdla" else os.cpu_count() or 1)

    @property
    def model_dir(self) -> Path:
        """Folder of the model's files."""
        return self.layout_model_dir or Path("models") / self.layout_model
