"""The public answers, for the API pages. The service joins bytes and never builds these at run time."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class ErrorBody(BaseModel):
    """Every answer that is not a success, on every path."""

    logId: str = Field(description="Name of the request in the logs.")  # noqa: N815 - public spelling
    errorCode: int = Field(description="The HTTP status.", examples=[422])  # noqa: N815
    errorMsg: str = Field(description="What is wrong, naming the field.", examples=["`file` is required."])  # noqa: N815


class HealthBody(BaseModel):
    """Answer of the health routes."""

    logId: str  # noqa: N815
    errorCode: int = 0  # noqa: N815
    errorMsg: str = "Healthy"  # noqa: N815


class Markdown(BaseModel):
    """A page as Markdown."""

    text: str
    images: dict[str, str] | None = Field(
        None,
        description="Path in the Markdown to base64 JPEG, or to its URL where HPS_IMAGE_STORE is set; absent "
        "when `returnMarkdownImages` is false.",
    )


class LayoutParsingResult(BaseModel):
    """One page."""

    prunedResult: dict[str, Any] = Field(description="Regions in reading order, in `parsing_res_list`.")  # noqa: N815
    markdown: Markdown
    outputImages: dict[str, str] | None = Field(  # noqa: N815
        None, description="Name to base64 JPEG or URL, when `visualize`."
    )
    inputImage: str | None = Field(None, description="The page as base64 JPEG or URL, when `visualize`.")  # noqa: N815
    exports: dict[str, Any] | None = Field(None, description="Files asked for by `outputFormats`.")
    warnings: list[dict[str, Any]] | None = Field(None, description="Regions that could not be read.")


class PageSize(BaseModel):
    """Pixels of a page as parsed."""

    width: int
    height: int


class DataInfo(BaseModel):
    """What the document was: `width` and `height` for an image, `pages` for a PDF or a multi-page TIFF."""

    type: Literal["image", "pdf", "tiff"]
    width: int | None = None
    height: int | None = None
    numPages: int | None = Field(None, description="Pages parsed.")  # noqa: N815
    totalPages: int | None = Field(None, description="Pages that the document has.")  # noqa: N815
    pages: list[PageSize] | None = None
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

    layoutParsingResults: list[RestructuredPage]  # noqa: N815


class RestructurePagesResponse(BaseModel):
    """Answer of POST /restructure-pages."""

    logId: str  # noqa: N815
    errorCode: Literal[0]  # noqa: N815
    errorMsg: Literal["Success"]  # noqa: N815
    result: RestructurePagesOutcome


class LayoutParsingOutcome(BaseModel):
    """All pages of a document."""

    layoutParsingResults: list[LayoutParsingResult]  # noqa: N815
    dataInfo: DataInfo  # noqa: N815


class LayoutParsingResponse(BaseModel):
    """Answer of POST /layout-parsing."""

    logId: str  # noqa: N815
    errorCode: Literal[0]  # noqa: N815
    errorMsg: Literal["Success"]  # noqa: N815
    result: LayoutParsingOutcome
