"""What `restructure-pages` is asked: pages as they were answered, and what to do with them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from docparse.errors import InvalidOption, InvalidPages
from docparse.option_values import camel_case

# No page is this wide. Beyond it PaddleX's arithmetic overflows.
_MAX_PIXELS = 10_000_000


def _as_it_came(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Whole numbers stay whole: a client may tell 800 from 800.0."""
    check(value)
    return value


_Length = Annotated[float, Field(ge=1, le=_MAX_PIXELS), WrapValidator(_as_it_came)]
_Side = Annotated[float, Field(ge=-_MAX_PIXELS, le=_MAX_PIXELS), WrapValidator(_as_it_came)]


class _Given(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class GivenBlock(_Given):
    """A block of `parsing_res_list`. Its other fields are made anew or, as in PaddleX, left out, but for ours."""

    block_label: str
    block_content: str
    block_bbox: Annotated[list[_Side], Field(min_length=4, max_length=4)]
    block_polygon_points: Any = None
    group_id: Any = None
    block_recognition: Any = None


class GivenSettings(_Given):
    """The settings that are read; `prunedResult.model_settings` is answered as it came."""

    use_chart_recognition: Any = False
    markdown_ignore_labels: list[str] | None = None


class GivenResult(_Given):
    """`prunedResult` of a page, or of pages that were joined into one."""

    width: _Length
    height: _Length
    page_count: Any = None
    model_settings: dict[str, Any]
    parsing_res_list: list[GivenBlock]
    layout_det_res: Any = None
    doc_preprocessor_res: Any = None
    spotting_res: Any = None


class GivenPage(_Given):
    """One of `pages`; pictures are whatever text the client has for them, by image key."""

    prunedResult: GivenResult  # noqa: N815  public spelling
    markdownImages: dict[str, str] | None = None  # noqa: N815


class RestructureOptions(_Given):
    """What to do with the pages."""

    model_config = ConfigDict(extra="forbid")

    merge_tables: bool = True
    relevel_titles: bool = True
    concatenate_pages: bool = False
    prettify_markdown: bool = True
    show_formula_number: bool = False
    return_markdown_images: bool = True
    output_formats: list[Literal["docx"]] | None = None


def read_pages(pages: Sequence[object]) -> list[GivenPage]:
    """The pages of a request.

    Raises:
        InvalidPages: a page is not as /layout-parsing answers it; the message names the field.
    """
    return [_read_page(position, page) for position, page in enumerate(pages)]


def _read_page(position: int, page: object) -> GivenPage:
    try:
        given = GivenPage.model_validate(page)
        GivenSettings.model_validate(given.prunedResult.model_settings)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        location = problem["loc"]
        if error.title == GivenSettings.__name__:
            location = ("prunedResult", "model_settings", *location)
        raise InvalidPages(f"`{_path(position, location)}`: {_sentence(problem['msg'])}") from None
    return given


def _path(position: int, location: Sequence[int | str]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return f"pages[{position}]{''.join(steps)}"


def _sentence(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}."


def read_options(options: object) -> RestructureOptions:
    """The options of a request.

    Raises:
        InvalidOption: an option is unknown or has a wrong value.
    """
    try:
        return RestructureOptions.model_validate(options)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        name = camel_case(str(next(iter(problem["loc"]), "options")))
        raise InvalidOption(f"`{name}`: {_sentence(problem['msg'])}") from None
