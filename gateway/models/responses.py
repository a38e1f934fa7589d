"""The public answers, for the API pages. The service joins bytes and never builds these at run time."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

LogId = Annotated[
    str, Field(description="Name of the request in the logs: its own `logId`, else its X-Request-Id.")
]
Success = Annotated[Literal[0], Field(description="0 is success.")]
Said = Annotated[Literal["Success"], Field(description="Success in words.")]


class ErrorBody(BaseModel):
    """Every answer that is not a success, on every path."""

    logId: LogId  # noqa: N815 - public spelling
    errorCode: int = Field(description="The HTTP status.", examples=[422])  # noqa: N815
    errorMsg: str = Field(description="What is wrong, naming the field.", examples=["`file` is required."])  # noqa: N815


class HealthBody(BaseModel):
    """Answer of the health routes."""

    logId: LogId  # noqa: N815
    errorCode: Success  # noqa: N815
    errorMsg: Literal["Healthy", "Ready"] = Field(description="That it is well.")  # noqa: N815


class Markdown(BaseModel):
    """A page as Markdown."""

    text: str = Field(description="The Markdown, with HTML where Markdown has no form for it.")
    images: dict[str, str] | None = Field(
        None,
        description="Path in the Markdown to base64 JPEG, or to its URL where HPS_IMAGE_STORE is set; absent "
        "when `returnMarkdownImages` is false.",
    )


class LayoutParsingResult(BaseModel):
    """One page."""

    prunedResult: dict[str, Any] = Field(  # noqa: N815
        description="The page's `width` and `height` in pixels, the `model_settings` it was parsed with, and in "
        "`parsing_res_list` its regions in reading order, each with `block_label`, `block_content` and `block_bbox` "
        "([x1, y1, x2, y2] in pixels). A region that was read says how in `block_recognition`: `finish_reason` "
        "(`stop`; `length`, cut at the token limit; `repetition`, cut where the model began to repeat itself; "
        "`error`, not read), `retries`, and whether the text is `suspect`."
    )
    markdown: Markdown
    outputImages: dict[str, str] | None = Field(  # noqa: N815
        None, description="Name to base64 JPEG or URL, when `visualize`."
    )
    inputImage: str | None = Field(None, description="The page as base64 JPEG or URL, when `visualize`.")  # noqa: N815
    exports: dict[str, Any] | None = Field(None, description="Files asked for by `outputFormats`.")
    warnings: list[dict[str, Any]] | None = Field(
        None,
        description="What a reader should know, with `code` and `message`: regions that were not read or not to "
        "their end (with `blockId` and `blockBbox`), and what else could not be done.",
    )


class PageSize(BaseModel):
    """Pixels of a page as parsed."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class DataInfo(BaseModel):
    """What the document was: `width` and `height` for an image, `pages` for a PDF or a multi-page TIFF."""

    type: Literal["image", "pdf", "tiff"] = Field(
        description="Of an image, `tiff` where it has several pages."
    )
    width: int | None = Field(None, description="Pixels of an image.")
    height: int | None = Field(None, description="Pixels of an image.")
    numPages: int | None = Field(None, description="Pages parsed.")  # noqa: N815
    totalPages: int | None = Field(None, description="Pages that the document has.")  # noqa: N815
    pages: list[PageSize] | None = Field(None, description="Sizes of the pages parsed, in their order.")
    renderScale: float | None = Field(None, description="Pixels per point (1/72 inch) of PDF pages.")  # noqa: N815


class RestructuredPage(BaseModel):
    """One page of a restructured document, or all of them joined."""

    prunedResult: dict[str, Any] = Field(  # noqa: N815
        description="As it came, with tables merged, and `global_block_id` and `global_group_id` in its blocks. "
        "Joined pages have `page_count`, and a list as `layout_det_res`."
    )
    markdown: Markdown
    exports: dict[str, Any] | None = Field(None, description="Files asked for by `outputFormats`.")
    warnings: list[dict[str, Any]] | None = Field(None, description="What could not be done.")


class RestructurePagesOutcome(BaseModel):
    """All pages, in their order."""

    layoutParsingResults: list[RestructuredPage] = Field(  # noqa: N815
        description="A page each, in order; one in all with `concatenatePages`."
    )


class RestructurePagesResponse(BaseModel):
    """Answer of POST /restructure-pages."""

    logId: LogId  # noqa: N815
    errorCode: Success  # noqa: N815
    errorMsg: Said  # noqa: N815
    result: RestructurePagesOutcome


class LayoutParsingOutcome(BaseModel):
    """All pages of a document."""

    layoutParsingResults: list[LayoutParsingResult] = Field(description="A page each, in order.")  # noqa: N815
    dataInfo: DataInfo  # noqa: N815


class LayoutParsingResponse(BaseModel):
    """Answer of POST /layout-parsing."""

    logId: LogId  # noqa: N815
    errorCode: Success  # noqa: N815
    errorMsg: Said  # noqa: N815
    result: LayoutParsingOutcome
