"""Which models Triton is to have, in how many processes and where, by the settings."""

from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from docparse.image_store import ImageStoreSettings
from docparse.layout.settings import LayoutSettings
from docparse.model_files import find_file_problems
from docparse.pipeline_config import PipelineConfigError
from docparse.pipeline_config.reading import find_unused_keys
from docparse.pipeline_config.settings import PipelineFileSettings
from docparse.preprocessing import PreprocessingSettings
from docparse.preprocessing.settings import ORIENTATION_MODEL, UNWARPING_MODEL
from docparse.settings import Settings
from launch.problems import CannotStart, describe
from launch.settings import LaunchSettings


@dataclass(frozen=True, slots=True)
class TritonModel:
    """A model as it is to be loaded.

    Attributes:
        name: of the model, and of its folder in the repository.
        instances: processes.
        gpu: number of the GPU that it uses; None without one.
        batch_size: most requests that are run together, where its configuration has such a number.
    """

    name: str
    instances: int = 1
    gpu: int | None = None
    batch_size: int | None = None


@dataclass(frozen=True, slots=True)
class TierSettings:
    """Every setting of the middle tier, read and checked."""

    launch: LaunchSettings
    file: PipelineFileSettings
    pipeline: Settings
    layout: LayoutSettings
    preprocessing: PreprocessingSettings
    image_store: ImageStoreSettings

    @classmethod
    def from_environment(cls) -> "TierSettings":
        """Read all of them, and look whether the models' files are there.

        Raises:
            CannotStart: something is wrong; all of it is named.
        """
        problems: list[str] = []
        read = {name: _read(kind, problems) for name, kind in get_type_hints(cls).items()}
        if not problems:
            settings = cls(**read)
            problems = settings.find_missing_files()
            if not problems:
                return settings
        raise CannotStart(*dict.fromkeys(problems))  # a variable or key may be read by more than one

    @property
    def models(self) -> tuple[TritonModel, ...]:
        """What the settings ask for."""
        layout, preprocessing = self.layout, self.preprocessing
        gpu = _gpu(layout.layout_device)
        models = [
            TritonModel(
                "layout-detection",
                gpu=gpu if layout.layout_engine == "paddlex" else None,
                batch_size=layout.layout_batch_size,
            ),
            TritonModel("layout-parsing", self.pipeline.layout_parsing_instances),
            TritonModel("restructure-pages", self.launch.restructure_instances),
        ]
        if preprocessing.is_loaded:
            models.append(
                TritonModel(
                    "document-preprocessing", gpu=gpu, batch_size=preprocessing.doc_preprocessing_batch_size
                )
            )
        return tuple(models)

    @property
    def unused_keys(self) -> list[str]:
        """Keys of the pipeline configuration file that do nothing here."""
        path = self.file.pipeline_config
        return [] if path is None else find_unused_keys(path)

    def summary(self) -> dict[str, Any]:
        """What whoever starts the other tiers should know.

        `vlmUrls` is null when neither a variable nor the file names a VLM server.
        """
        named = "vlm_urls" in self.pipeline.model_fields_set
        return {
            "models": [model.name for model in self.models],
            "vlmUrls": list(self.pipeline.vlm_urls) if named else None,
        }

    def find_missing_files(self) -> list[str]:
        """Sentences about models whose files are not there."""
        layout, preprocessing = self.layout, self.preprocessing
        problems = []
        if layout.layout_engine == "paddlex":
            where = self._place("HPS_LAYOUT_MODEL_DIR", "SubModules.LayoutDetection")
            found = find_file_problems(layout.model_dir, layout.layout_model, layout.layout_paddlex_engine)
            problems += [f"{where}: {problem}." for problem in found]
        section = "SubPipelines.DocPreprocessor.SubModules"
        orientation, unwarping = (
            preprocessing.doc_orientation_model_dir,
            preprocessing.doc_unwarping_model_dir,
        )
        for variable, key, folder, model in (
            (
                "HPS_DOC_ORIENTATION_MODEL_DIR",
                "DocOrientationClassify",
                orientation,
                ORIENTATION_MODEL,
            ),
            ("HPS_DOC_UNWARPING_MODEL_DIR", "DocUnwarping", unwarping, UNWARPING_MODEL),
        ):
            if folder is not None:
                where = self._place(variable, f"{section}.{key}")
                found = find_file_problems(folder, model, "onnxruntime")
                problems += [f"{where}: {problem}." for problem in found]
        return problems

    def _place(self, variable: str, section: str) -> str:
        """Where an operator can say which folder it is."""
        return variable if self.file.pipeline_config is None else f"{variable} ({section}.model_dir)"


def _gpu(device: str) -> int | None:
    """The number in `gpu:1`; `gpu` is the first."""
    if not device.startswith("gpu"):
        return None
    return int(device.partition(":")[2] or 0)


def _read(kind: type[BaseSettings], problems: list[str]) -> Any:
    try:
        return kind()
    except ValidationError as error:
        problems += describe(error)
    except PipelineConfigError as error:
        problems += error.problems
    return None
