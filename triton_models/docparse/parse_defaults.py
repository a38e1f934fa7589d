"""What holds where a request says nothing, by the pipeline configuration file and the models that are loaded."""

from collections.abc import Mapping
from dataclasses import dataclass

from docparse.errors import InvalidOption
from docparse.labels import DEFAULT_IGNORED_LABELS
from docparse.pipeline_config import PipelineConfig
from docparse.preprocessing import PreprocessingOptions, PreprocessingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseDefaults:
    """Defaults of a request's options; without arguments, those of PaddleOCR-VL with no preprocessing model loaded.

    Attributes:
        use_doc_preprocessor: whether pages are preprocessed when a request says nothing about it.
        has_orientation, has_unwarping: whether the model is loaded.
    """

    use_layout_detection: bool = True
    use_chart_recognition: bool = False
    use_seal_recognition: bool = False
    use_ocr_for_image_block: bool = False
    format_block_content: bool = False
    merge_layout_blocks: bool = True
    visualize: bool = True
    markdown_ignore_labels: tuple[str, ...] = DEFAULT_IGNORED_LABELS
    use_doc_preprocessor: bool = False
    has_orientation: bool = False
    has_unwarping: bool = False

    @classmethod
    def of(cls, config: PipelineConfig, preprocessing: PreprocessingSettings) -> "ParseDefaults":
        """Those of an installation; the shipped values lie below the file's, so each is there."""
        return cls(
            use_layout_detection=bool(config.use_layout_detection),
            use_chart_recognition=bool(config.use_chart_recognition),
            use_seal_recognition=bool(config.use_seal_recognition),
            use_ocr_for_image_block=bool(config.use_ocr_for_image_block),
            format_block_content=bool(config.format_block_content),
            merge_layout_blocks=bool(config.merge_layout_blocks),
            visualize=bool(config.serving.visualize),
            markdown_ignore_labels=tuple(config.markdown_ignore_labels or ()),
            use_doc_preprocessor=preprocessing.use_doc_preprocessor,
            has_orientation=preprocessing.doc_orientation_model_dir is not None,
            has_unwarping=preprocessing.doc_unwarping_model_dir is not None,
        )

    @property
    def flags(self) -> Mapping[str, bool]:
        """Options that are true or false, by their names on the wire."""
        return {
            "use_layout_detection": self.use_layout_detection,
            "use_chart_recognition": self.use_chart_recognition,
            "use_seal_recognition": self.use_seal_recognition,
            "use_ocr_for_image_block": self.use_ocr_for_image_block,
            "format_block_content": self.format_block_content,
            "merge_layout_blocks": self.merge_layout_blocks,
            "prettify_markdown": True,
            "show_formula_number": False,
            "return_markdown_images": True,
            "restructure_pages": False,
            "merge_tables": True,
            "relevel_titles": True,
            "visualize": self.visualize,
        }

    def preprocessing(
        self, *, orientation: bool | None, unwarping: bool | None
    ) -> PreprocessingOptions | None:
        """What is done to a page before its layout is found; None for nothing.

        As in PaddleX: a request that says nothing of either gets the default. One that asks for either gets the
        other, too, where it is loaded and the request does not say no.

        Raises:
            InvalidOption: it asks for a model that is not loaded.
        """
        for asked, is_loaded, name, model in (
            (orientation, self.has_orientation, "useDocOrientationClassify", "orientation"),
            (unwarping, self.has_unwarping, "useDocUnwarping", "unwarping"),
        ):
            if asked and not is_loaded:
                raise InvalidOption(
                    f"`{name}` cannot be true: the document {model} model is not loaded here."
                )
        if orientation is None and unwarping is None:
            is_used = self.use_doc_preprocessor
        else:
            is_used = bool(orientation) or bool(unwarping)
        if not is_used:
            return None
        return PreprocessingOptions(
            self.has_orientation if orientation is None else orientation,
            self.has_unwarping if unwarping is None else unwarping,
        )


SHIPPED_DEFAULTS = ParseDefaults()
