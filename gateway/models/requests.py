"""The public request of POST /layout-parsing."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from gateway.errors import InvalidRequest
from gateway.models.options import (
    ExtraArgs,
    FileType,
    MergeMode,
    OutputFormats,
    PageRanges,
    Threshold,
    UnclipRatio,
)

# A client that got one field wrong often got several; three are enough to act on.
REPORTED_PROBLEMS = 3
# Whoever says "as many as you like" by a number that no tier could count gets the largest that all can.
Positive = Annotated[int, Field(gt=0), AfterValidator(lambda value: min(value, 2**31 - 1))]

# It is held in memory, and not counted, until the answer is sent.
LONGEST_LOG_ID = 65_536


class LayoutParsingOptions(BaseModel):
    """Everything a request can say beside its document. Unknown fields are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
        title="LayoutParsingOptions",
    )

    file_type: Annotated[Literal[0, 1] | None, FileType] = Field(
        None, description="0 for a PDF, 1 for an image. Default: the bytes decide."
    )
    page_ranges: PageRanges = Field(
        None,
        description='Pages to parse, counted from 1, for example "1-3,7". Default: all.',
        examples=["1-3,7"],
    )
    use_doc_orientation_classify: bool | None = Field(
        None, description="Turn pages upright first; needs the model to be loaded. Default: off."
    )
    use_doc_unwarping: bool | None = Field(
        None, description="Flatten photographed pages first; needs the model to be loaded. Default: off."
    )
    use_layout_detection: bool | None = Field(
        None,
        description="Find regions first. Off: the whole page is one region, read as `promptLabel`. Default: on.",
    )
    use_chart_recognition: bool | None = Field(None, description="Read charts into tables. Default: off.")
    use_seal_recognition: bool | None = Field(None, description="Read the text of seals. Default: off.")
    use_ocr_for_image_block: bool | None = Field(
        None, description="Read the text inside pictures. Default: off."
    )
    layout_threshold: Threshold = Field(
        None,
        description="Least score of a region, 0 to 1; or an object from class id or label to it. Default: the model's.",
        examples=[0.5, {"text": 0.4, "14": 0.6}],
    )
    layout_nms: bool | None = Field(
        None, description="Drop regions that repeat another (NMS). Default: the model's."
    )
    layout_unclip_ratio: UnclipRatio = Field(
        None,
        description="Factor by which regions grow: a number, [width, height], or an object by class. Default: 1.",
        examples=[1.05, [1.0, 1.1], {"table": [1.0, 1.1]}],
    )
    layout_merge_bboxes_mode: MergeMode = Field(
        None,
        description="Which of two nested regions stays: large, small or union (both); or an object from class "
        "to it. Default: the model's.",
    )
    layout_shape_mode: Literal["rect", "quad", "poly", "auto"] = Field(
        "auto", description="Shape of regions; auto takes the best that the layout model can give."
    )
    prompt_label: Literal["ocr", "formula", "table", "chart", "seal", "spotting"] | None = Field(
        None, description="What the page is read as when `useLayoutDetection` is false. Default: ocr."
    )
    format_block_content: bool | None = Field(
        None, description="Give `block_content` in its Markdown form. Default: off."
    )
    repetition_penalty: float | None = Field(
        None, gt=0, description="Penalty on repeated tokens. Default: the VLM's."
    )
    temperature: float | None = Field(
        None, ge=0, description="Sampling temperature; 0 is greedy. Default: 0."
    )
    top_p: float | None = Field(None, gt=0, le=1, description="Nucleus sampling. Default: the VLM's.")
    min_pixels: Positive | None = Field(
        None, description="Least pixels of a region for the VLM; above 12845056 is that. Default: 112896."
    )
    max_pixels: Positive | None = Field(
        None, description="Most pixels of a region for the VLM; above 12845056 is that. Default: 1003520."
    )
    max_new_tokens: Positive | None = Field(
        None, description="Most tokens read from one region. Default: 4096."
    )
    merge_layout_blocks: bool | None = Field(
        None, description="Join regions that continue one another over columns. Default: on."
    )
    markdown_ignore_labels: list[str] | None = Field(
        None,
        description="Labels left out of the Markdown. Default: number, footnote, header, header_image, footer, "
        "footer_image, aside_text.",
    )
    vlm_extra_args: ExtraArgs = Field(
        None,
        description="Further arguments of the VLM call, for example `table_max_pixels`; `model`, `messages`, "
        "`stream`, `stream_options`, `n`, `max_tokens`, `max_completion_tokens`, `skip_special_tokens` and "
        "`mm_processor_kwargs` are the service's own and left out. Default: none.",
    )
    prettify_markdown: bool = Field(True, description="Centre pictures and tables by HTML in the Markdown.")  # noqa: FBT003
    show_formula_number: bool = Field(False, description="Keep formula numbers in the Markdown.")  # noqa: FBT003
    return_markdown_images: bool = Field(True, description="Return the pictures that the Markdown refers to.")  # noqa: FBT003
    restructure_pages: bool = Field(False, description="Treat the pages as one document.")  # noqa: FBT003
    merge_tables: bool = Field(True, description="Join tables over pages; with `restructurePages` only.")  # noqa: FBT003
    relevel_titles: bool = Field(True, description="Level titles over pages; with `restructurePages` only.")  # noqa: FBT003
    output_formats: OutputFormats = Field(
        None, description='Further files to return: ["docx"]. Default: none.', examples=[["docx"]]
    )
    visualize: bool | None = Field(
        None, description="Return the page picture and the picture with regions drawn. Default: true."
    )
    log_id: str | None = Field(
        None,
        max_length=LONGEST_LOG_ID,
        description="Name of this request in logs and answers. Default: generated.",
    )

    @model_validator(mode="after")
    def _check_pixels(self) -> Self:
        if self.min_pixels and self.max_pixels and self.min_pixels > self.max_pixels:
            raise ValueError(
                f"`minPixels` ({self.min_pixels}) cannot exceed `maxPixels` ({self.max_pixels})."
            )
        return self

    def to_parse_wire(self) -> dict[str, Any]:
        """The `parse` object for the model: snake_case, null for the pipeline's default."""
        return self.model_dump(exclude={"file", "file_type", "log_id"})


class LayoutParsingRequest(LayoutParsingOptions):
    """A document and how to parse it."""

    model_config = ConfigDict(title="LayoutParsingRequest")

    file: str = Field(
        description="The document: base64 of its bytes, an http(s) URL, or a data: URL. "
        "PDF, PNG, JPEG, TIFF, WebP, BMP or GIF."
    )


def validate_request(data: object) -> LayoutParsingRequest:
    """Check a whole JSON request.

    Raises:
        InvalidRequest: a sentence per problem, each naming its field.
    """
    if not isinstance(data, dict):
        raise InvalidRequest("The body must be a JSON object with the field `file`.")
    try:
        return LayoutParsingRequest.model_validate(data)
    except ValidationError as error:
        raise InvalidRequest(describe_problems(error)) from None


def validate_options(data: dict[str, Any]) -> LayoutParsingOptions:
    """Check the options of a request whose document came separately.

    Raises:
        InvalidRequest: as for `validate_request`.
    """
    try:
        return LayoutParsingOptions.model_validate(data)
    except ValidationError as error:
        raise InvalidRequest(describe_problems(error)) from None


Location = tuple[int | str, ...]


def describe_problems(
    error: ValidationError, name_field: Callable[[str, Location], str] | None = None
) -> str:
    """Sentences that name the public fields; values are not repeated, for they may be document content.

    Args:
        error: of any model of public requests.
        name_field: what a field is called, from the kind of problem and its location. Default: as for options.
    """
    name_field = name_field or _name_option
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    sentences = list(
        dict.fromkeys(
            _describe(problem["type"], problem["loc"], problem["msg"], name_field) for problem in problems
        )
    )
    if len(sentences) > REPORTED_PROBLEMS:
        more = len(sentences) - REPORTED_PROBLEMS
        sentences = [*sentences[:REPORTED_PROBLEMS], f"And {more} more."]
    return " ".join(sentences)


def _name_option(kind: str, location: Location) -> str:
    # Steps in words are pydantic's names for the alternatives of a type.
    return f"`{location[0]}`" + "".join(
        f"[{step}]" for step in location[1:] if isinstance(step, int) or kind == "missing"
    )


def _describe(kind: str, location: Location, message: str, name_field: Callable[[str, Location], str]) -> str:
    text = message.removeprefix("Value error, ")
    if not location:
        return text
    field = name_field(kind, location)
    if kind == "missing":
        return f"{field} is required."
    if kind == "value_error":
        return f"{field} {text.rstrip('.')}."
    return f"{field} is not valid: {text[:1].lower()}{text[1:].rstrip('.')}."
