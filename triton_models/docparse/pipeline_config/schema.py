"""What the file may hold. Names are the file's own; None is what it leaves out.

Keys of PaddleX that have nothing to do here are listed as `unused` where they stand: they are accepted, and named when
the tier starts. Every other key is refused, because a misspelt one would be ignored for ever without a word.
"""

from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from docparse.layout.labels import LABELS
from docparse.pipeline_config.class_values import MergeMode, Threshold, UnclipRatio

LayoutModel = Literal["PP-DocLayoutV2", "PP-DocLayoutV3"]
PaddlexEngine = Literal["onnxruntime", "paddle", "paddle_static", "paddle_dynamic", "transformers", "hpi"]
GenaiBackend = Literal[
    "native", "fastdeploy-server", "vllm-server", "sglang-server", "mlx-vlm-server", "llama-cpp-server"
]


class Section(BaseModel):
    """A mapping of the file."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, populate_by_name=True, protected_namespaces=()
    )

    unused: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _leave_out_unused(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return {} if given is None else given
        return {name: value for name, value in given.items() if name not in cls.unused}

    def over(self, lower: Self) -> Self:
        """This section, with the values of `lower` where it says nothing."""
        merged = {}
        for name in type(self).model_fields:
            own, other = getattr(self, name), getattr(lower, name)
            if isinstance(own, Section) and isinstance(other, Section):
                merged[name] = own.over(other)
            else:
                merged[name] = other if own is None else self._merge(name, own, other)
        return self.model_copy(update=merged)

    def _merge(self, name: str, own: Any, lower: Any) -> Any:  # noqa: ARG002  for sections that know better
        return own


class LayoutDetection(Section):
    """`SubModules.LayoutDetection`."""

    unused = frozenset({"module_name", "use_hpip", "hpi_config"})

    model_name: LayoutModel | None = None
    model_dir: str | None = None
    batch_size: int | None = Field(None, ge=1, le=64)
    threshold: Threshold = None
    layout_nms: bool | None = None
    layout_unclip_ratio: UnclipRatio = None
    layout_merge_bboxes_mode: MergeMode = None
    engine: PaddlexEngine | None = None
    engine_config: dict[str, Any] | None = None

    def _merge(self, name: str, own: Any, lower: Any) -> Any:
        """Classes that a table does not name keep their values."""
        if name == "engine_config" or not isinstance(own, dict) or lower is None:
            return own
        return (lower if isinstance(lower, dict) else dict.fromkeys(LABELS, lower)) | own


class ClientKwargs(Section):
    """`SubModules.VLRecognition.genai_config.client_kwargs`, of which PaddleX gives its client all."""

    api_key: str | None = None
    timeout: float | None = Field(None, gt=0)
    max_retries: int | None = Field(None, ge=0)


class GenaiConfig(Section):
    """`SubModules.VLRecognition.genai_config`."""

    backend: GenaiBackend | None = None
    server_url: str | None = Field(None, validate_default=True)
    max_concurrency: int | None = Field(None, ge=1)
    client_kwargs: ClientKwargs = ClientKwargs()

    @field_validator("server_url")
    @classmethod
    def _check_url(cls, url: str | None, given: ValidationInfo) -> str | None:
        backend = given.data.get("backend")
        if url is None and backend not in (None, "native"):
            raise ValueError(f"must name the server, for the backend is {backend!r}")
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url


class VLRecognition(Section):
    """`SubModules.VLRecognition`."""

    unused = frozenset({"module_name", "model_dir", "batch_size", "engine", "engine_config", "use_hpip"})

    model_name: str | None = None
    genai_config: GenaiConfig = GenaiConfig()


class SubModules(Section):
    """`SubModules`."""

    layout_detection: LayoutDetection = Field(LayoutDetection(), alias="LayoutDetection")
    vl_recognition: VLRecognition = Field(VLRecognition(), alias="VLRecognition")


class DocOrientationClassify(Section):
    """`SubPipelines.DocPreprocessor.SubModules.DocOrientationClassify`."""

    unused = frozenset({"module_name", "batch_size", "engine", "engine_config", "use_hpip", "hpi_config"})

    model_name: Literal["PP-LCNet_x1_0_doc_ori"] | None = None
    model_dir: str | None = None


class DocUnwarping(Section):
    """`SubPipelines.DocPreprocessor.SubModules.DocUnwarping`."""

    unused = frozenset({"module_name", "batch_size", "engine", "engine_config", "use_hpip", "hpi_config"})

    model_name: Literal["UVDoc"] | None = None
    model_dir: str | None = None


class DocPreprocessorModules(Section):
    """`SubPipelines.DocPreprocessor.SubModules`."""

    orientation: DocOrientationClassify = Field(DocOrientationClassify(), alias="DocOrientationClassify")
    unwarping: DocUnwarping = Field(DocUnwarping(), alias="DocUnwarping")


class DocPreprocessor(Section):
    """`SubPipelines.DocPreprocessor`."""

    unused = frozenset({"pipeline_name", "use_hpip", "hpi_config"})

    batch_size: int | None = Field(None, ge=1, le=64)
    use_doc_orientation_classify: bool | None = None
    use_doc_unwarping: bool | None = None
    sub_modules: DocPreprocessorModules = Field(DocPreprocessorModules(), alias="SubModules")


class SubPipelines(Section):
    """`SubPipelines`."""

    doc_preprocessor: DocPreprocessor = Field(DocPreprocessor(), alias="DocPreprocessor")


class ServingExtra(Section):
    """`Serving.extra`."""

    unused = frozenset({"file_storage", "return_img_urls", "url_expires_in", "max_output_img_size"})

    max_num_input_imgs: int | None = Field(None, ge=1)


class Serving(Section):
    """`Serving`."""

    unused = frozenset({"return_urls"})

    visualize: bool | None = None
    extra: ServingExtra = ServingExtra()


class PipelineConfig(Section):
    """The whole file."""

    unused = frozenset({"batch_size", "use_queues", "layout_prep_cpu_workers", "use_hpip", "hpi_config"})

    pipeline_name: Literal["PaddleOCR-VL", "PaddleOCR-VL-1.5", "PaddleOCR-VL-1.6"] | None = None
    use_doc_preprocessor: bool | None = None
    use_layout_detection: bool | None = None
    use_chart_recognition: bool | None = None
    use_seal_recognition: bool | None = None
    use_ocr_for_image_block: bool | None = None
    format_block_content: bool | None = None
    merge_layout_blocks: bool | None = None
    markdown_ignore_labels: list[str] | None = None
    engine: PaddlexEngine | None = None
    engine_config: dict[str, Any] | None = None
    sub_modules: SubModules = Field(SubModules(), alias="SubModules")
    sub_pipelines: SubPipelines = Field(SubPipelines(), alias="SubPipelines")
    serving: Serving = Field(Serving(), alias="Serving")

    @property
    def layout(self) -> LayoutDetection:
        """Short for where it stands."""
        return self.sub_modules.layout_detection

    @property
    def genai(self) -> GenaiConfig:
        """Short for where it stands."""
        return self.sub_modules.vl_recognition.genai_config

    @property
    def preprocessor(self) -> DocPreprocessor:
        """Short for where it stands."""
        return self.sub_pipelines.doc_preprocessor
