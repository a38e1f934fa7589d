"""The public request of POST /restructure-pages."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gateway.errors import InvalidRequest
from gateway.models.options import OutputFormats
from gateway.models.requests import LONGEST_LOG_ID, Location, describe_problems

# No page is this wide; arithmetic on what is beyond would overflow.
LARGEST_PIXELS = 10_000_000
# Names in `markdownImages` are the client's own; a sentence repeats no more of one.
LONGEST_STEP = 64

Length = Annotated[float, Field(ge=1, le=LARGEST_PIXELS)]
Side = Annotated[float, Field(ge=-LARGEST_PIXELS, le=LARGEST_PIXELS)]


class _Answered(BaseModel):
    """Part of an answer that comes back. Strict: it is passed on as it is, so it must be what it says."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class Block(_Answered):
    """A region; its other fields are made anew or left out, but for `block_recognition`."""

    block_label: str = Field(description="Class of the region, for example `paragraph_title`.")
    block_content: str = Field(description="Its text; a leading `#` of a title is taken off.")
    block_bbox: Annotated[list[Side], Field(min_length=4, max_length=4)] = Field(
        description="[x1, y1, x2, y2] in pixels of the page."
    )
    block_polygon_points: Any = Field(None, description="Comes back as it is. Default: none.")
    group_id: Any = Field(None, description="Comes back as it is. Default: the place of the block.")


class ModelSettings(_Answered):
    """How the page was parsed; decides how its Markdown is written."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    markdown_ignore_labels: list[str] | None = Field(
        None, description="Labels left out of the Markdown. Default: none."
    )


class PrunedResult(_Answered):
    """`prunedResult` of a page, as /layout-parsing or this path answered it; fields not named here may be there."""

    model_config = ConfigDict(protected_namespaces=())

    width: Length = Field(description="Pixels of the page.")
    height: Length = Field(description="Pixels of the page.")
    model_settings: ModelSettings
    parsing_res_list: list[Block] = Field(description="The page's regions in reading order.")


class Page(_Answered):
    """One page, as it was answered."""

    prunedResult: PrunedResult  # noqa: N815 - public spelling
    markdownImages: dict[str, str] | None = Field(  # noqa: N815
        None, description="`markdown.images` of the page. Default: none."
    )


class RestructurePagesRequest(BaseModel):
    """Parsed pages and what to do with them. Unknown fields are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, title="RestructurePagesRequest"
    )

    pages: list[Page] = Field(description="The pages of one document in their order; may be empty.")
    merge_tables: bool = Field(True, description="Join a table with its continuation on the next page.")  # noqa: FBT003
    relevel_titles: bool = Field(True, description="Give titles their level in the whole document.")  # noqa: FBT003
    concatenate_pages: bool = Field(False, description="Answer all pages as one.")  # noqa: FBT003
    prettify_markdown: bool = Field(True, description="Centre pictures and tables by HTML in the Markdown.")  # noqa: FBT003
    show_formula_number: bool = Field(False, description="Keep formula numbers in the Markdown.")  # noqa: FBT003
    return_markdown_images: bool = Field(True, description="Return the pictures that came.")  # noqa: FBT003
    output_formats: OutputFormats = Field(
        None,
        description='Further files to return: ["docx"], with the pictures that came in base64 or as links of this '
        "service. Default: none.",
        examples=[["docx"]],
    )
    log_id: str | None = Field(
        None,
        max_length=LONGEST_LOG_ID,
        description="Name of this request in logs and answers. Default: generated.",
    )

    def to_wire(self) -> dict[str, Any]:
        """The `options` object for the model, snake_case."""
        return self.model_dump(exclude={"pages", "log_id"})


def validate_restructuring(data: object) -> RestructurePagesRequest:
    """Check a whole request.

    Raises:
        InvalidRequest: a sentence per problem, each naming its field.
    """
    if not isinstance(data, dict):
        raise InvalidRequest("The body must be a JSON object with the field `pages`.")
    try:
        return RestructurePagesRequest.model_validate(data)
    except ValidationError as error:
        raise InvalidRequest(describe_problems(error, _name_field)) from None


def _name_field(kind: str, location: Location) -> str:  # noqa: ARG001 - the kind decides nothing here
    first, *steps = location
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:LONGEST_STEP]}" for step in steps)
    return f"`{first}{path}`"
