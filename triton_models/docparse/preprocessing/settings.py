"""What an operator can set about document preprocessing, by environment or in the pipeline configuration file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from docparse.layout.settings import Device
from docparse.pipeline_config import ConfiguredSettings, PipelineConfig

ORIENTATION_MODEL = "PP-LCNet_x1_0_doc_ori"
UNWARPING_MODEL = "UVDoc"


class PreprocessingSettings(ConfiguredSettings):
    """Read by the models `document-preprocessing` and `layout-parsing`, and by the launcher, which checks it.

    A model that has a folder is loaded. Where none has, `document-preprocessing` is not started at all.
    """

    use_doc_preprocessor: bool = Field(
        default=False,
        description="Preprocess pages whose request says nothing about it. Without the two folders below the models "
        "are looked for in `models/` and their names.",
    )
    doc_orientation_model_dir: Path | None = Field(
        None,
        description=f"Folder of {ORIENTATION_MODEL}, which turns pages upright. Default: it is not loaded.",
    )
    doc_unwarping_model_dir: Path | None = Field(
        None,
        description=f"Folder of {UNWARPING_MODEL}, which flattens photographed pages. Default: it is not loaded.",
    )
    doc_preprocessing_batch_size: int = Field(
        8, ge=1, le=64, description="Most pages that are preprocessed together."
    )
    layout_device: Device = Field("cpu", description="Where the models run: `cpu`, `gpu` or `gpu:1`.")
    layout_threads: int = Field(2, ge=1, description="CPU threads of one inference.")

    @classmethod
    def from_file(cls, config: PipelineConfig, known: Mapping[str, Any], *, is_named: bool) -> dict[str, Any]:  # noqa: ARG003  the interface's
        """See `ConfiguredSettings`. The file's folders count where its preprocessor does, as in PaddleX."""
        file = config.preprocessor
        values: dict[str, Any] = {
            "use_doc_preprocessor": config.use_doc_preprocessor,
            "doc_preprocessing_batch_size": file.batch_size,
        }
        if not _is_on(known.get("use_doc_preprocessor"), default=bool(config.use_doc_preprocessor)):
            return values
        orientation, unwarping = file.sub_modules.orientation.model_dir, file.sub_modules.unwarping.model_dir
        folders = {
            "doc_orientation_model_dir": (file.use_doc_orientation_classify, orientation, ORIENTATION_MODEL),
            "doc_unwarping_model_dir": (file.use_doc_unwarping, unwarping, UNWARPING_MODEL),
        }
        by_variable = bool(folders.keys() & known.keys())  # then it says which of the two there are
        for name, (wanted, folder, model) in folders.items():
            if wanted and (folder is not None or not by_variable):
                values[name] = folder or f"models/{model}"
        return values

    @model_validator(mode="after")
    def _require_a_model(self) -> Self:
        if self.use_doc_preprocessor and not self.is_loaded:
            raise ValueError(
                "HPS_USE_DOC_PREPROCESSOR (use_doc_preprocessor) is true, but neither HPS_DOC_ORIENTATION_MODEL_DIR "
                "nor HPS_DOC_UNWARPING_MODEL_DIR names a model, and the pipeline configuration file wants none"
            )
        return self

    @property
    def is_loaded(self) -> bool:
        """Whether there is anything to preprocess with."""
        return self.doc_orientation_model_dir is not None or self.doc_unwarping_model_dir is not None


def _is_on(value: Any, *, default: bool) -> bool:
    """What a variable will be read as."""
    try:
        return default if value is None else TypeAdapter(bool).validate_python(value)
    except ValidationError:
        return default  # the settings will refuse it
