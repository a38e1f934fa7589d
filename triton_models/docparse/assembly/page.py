"""A page, assembled: its blocks in PaddleX's form, its pictures encoded, and what went wrong."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from docparse import paddlex_forms
from docparse.assembly.block_recognition import note_recognition
from docparse.assembly.pictures import (
    draw_layout,
    draw_preprocessing,
    draw_spotting,
    encode_for_word,
    encode_jpeg,
    shrink,
)
from docparse.assembly.texts import cut_repetition, read_spotting, table_to_html, write_formulas
from docparse.options import ParseOptions
from docparse.preprocessing.page import NOT_CLASSIFIED
from docparse.regions import EncodedPictures, PageOrigin, PageRegions, Region

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docparse.recognition import Recognition

    Picture = NDArray[np.uint8]


# Areas of the page that its figures may have together and still be whole in a Word document. Boxes that lie over each
# other without end, as they come where a request switches their filters off, would take memory without end.
_MOST_FIGURES = 4

# Warnings, by finish reason.
_INCOMPLETE = {
    "length": ("region_truncated", "its text was cut at the token limit"),
    "repetition": ("region_repetition", "the model repeated itself without end; its text was cut there"),
}


@dataclass(slots=True)
class ParsedPage:
    """A page with its texts; holds encoded pictures only, never the page's pixels.

    Attributes:
        position: of the page among those parsed, from 0; None when nobody said.
        form: the page as PaddleX's own result class, from which JSON, Markdown and Word are made.
        pictures: JPEG by image key; empty when the request does not want them.
        word_pictures: the same crops as a Word document gets them.
        image_keys: every key that the page's texts may name.
        input_image, layout_image, spotting_image: JPEGs, when the request is to see them.
        warnings: what a reader of the page should know, `{"code", "message", "blockId"?}` each.
        keys_are_final: whether the image keys are already unique in the response.
    """

    position: int | None
    form: Any
    image_keys: list[str]
    pictures: dict[str, bytes]
    word_pictures: dict[str, bytes]
    input_image: bytes | None = None
    output_images: dict[str, bytes] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    keys_are_final: bool = False


def encode_pictures(regions: PageRegions, options: ParseOptions) -> None:
    """Make the answer's JPEGs of the page's pixels, and let these go.

    Only spotting keeps the page, to draw what will be read on it.
    """
    if regions.encoded is not None:
        return
    crops = {key: picture for key, picture in regions.pictures.items() if picture is not None}
    regions.encoded = EncodedPictures(
        {key: encode_jpeg(crop) for key, crop in crops.items()} if options.return_markdown_images else {},
        _encode_for_word(crops, regions) if options.output_formats else {},
        *_encode_page(regions, options),
    )
    regions.outlined_pictures = {}
    regions.pictures = dict.fromkeys(regions.pictures)
    if not options.draws_readings:
        regions.image = None
    if regions.origin is not None:
        regions.origin = dataclasses.replace(regions.origin, image=None)


def _encode_for_word(crops: "Mapping[str, Picture]", regions: PageRegions) -> dict[str, bytes]:
    outlined = regions.outlined_pictures
    shown = {
        key: crop if key in regions.swallowed_keys else outlined.get(key, crop) for key, crop in crops.items()
    }
    pixels = sum(crop.shape[0] * crop.shape[1] for crop in shown.values())
    if pixels > _MOST_FIGURES * regions.width * regions.height:
        shown = {key: shrink(crop) for key, crop in shown.items()}
    return {key: encode_for_word(crop) for key, crop in shown.items()}


def _encode_page(regions: PageRegions, options: ParseOptions) -> tuple[bytes | None, dict[str, bytes]]:
    """The page as it came, and what is drawn on it before it is read."""
    if not options.visualize or regions.image is None:
        return None, {}
    drawn: dict[str, bytes] = {}
    came = regions.image
    if regions.origin is not None and regions.origin.image is not None:
        came = regions.origin.image
        drawn["preprocessed_img"] = encode_jpeg(_draw_origin(regions.origin, came, regions.image))
    if options.use_layout_detection:
        drawn["layout_det_res"] = encode_jpeg(draw_layout(regions.image, regions.boxes or []))
    return encode_jpeg(came), drawn


def _draw_origin(origin: PageOrigin, came: "Picture", page: "Picture") -> "Picture":
    turned = paddlex_forms.rotate(came, max(0, origin.angle))
    return draw_preprocessing(came, turned, page, origin.options, origin.angle)


def assemble_page(
    regions: PageRegions,
    recognitions: "Mapping[int, Recognition]",
    options: ParseOptions,
    warnings: Sequence[Mapping[str, Any]] = (),
) -> ParsedPage:
    """Join a page's regions with what was recognised in them.

    A region without a text becomes an empty block and a warning of the page.

    Args:
        regions: as `build_regions` made them; its requests are no longer needed.
        recognitions: by the index of their request.
        options: of the request.
        warnings: about the whole page, to go before those of its regions.
    """
    builder = _PageBuilder(regions, recognitions, options, warnings)
    builder.add_blocks()
    return builder.finish()


class _PageBuilder:
    def __init__(
        self,
        regions: PageRegions,
        recognitions: "Mapping[int, Recognition]",
        options: ParseOptions,
        warnings: Sequence[Mapping[str, Any]],
    ) -> None:
        self._regions = regions
        self._recognitions = recognitions
        self._options = options
        self._warnings = [dict(warning) for warning in warnings]
        self._requested = {request.index for request in regions.requests} | set(recognitions)
        self._blocks: list[Any] = []
        self._blocks_by_key: dict[str, Any] = {}
        self._tables: list[tuple[Any, Mapping[str, str]]] = []
        self._spotting: dict[str, Any] = {}

    def add_blocks(self) -> None:
        """Make a block of each region, then show the figures inside tables."""
        for index, region in enumerate(self._regions.regions):
            block = self._block(index, region)
            if region.label == "table":
                self._tables.append((block, region.figure_tokens))
            if region.image_key is not None:
                self._blocks_by_key[region.image_key] = block
                if region.image_key in self._regions.swallowed_keys:
                    continue  # its table shows it
                block.image = {"path": region.image_key, "img": None}
            self._blocks.append(block)
        for table, tokens in self._tables:
            table.content = paddlex_forms.untokenize_figures(table.content, tokens, self._blocks_by_key)

    def finish(self) -> ParsedPage:
        regions, options = self._regions, self._options
        encode_pictures(regions, options)
        encoded = regions.encoded
        assert encoded is not None  # noqa: S101  just made
        page = ParsedPage(
            regions.position,
            self._form(),
            regions.image_keys,
            encoded.pictures,
            encoded.word_pictures,
            input_image=encoded.input_image,
            output_images=dict(encoded.output_images),
            warnings=self._warnings,
        )
        if self._spotting and regions.image is not None:
            drawn = draw_spotting(regions.image, self._spotting["rec_polys"], self._spotting["rec_texts"])
            page.output_images["spotting_res_img"] = encode_jpeg(drawn)
        return page

    def _block(self, index: int, region: Region) -> Any:
        block = paddlex_forms.Block(
            label=region.label,
            bbox=region.box,
            content="",
            group_id=region.group_id,
            polygon_points=region.polygon_points,
        )
        if index in self._requested:
            self._fill(block, index, region)
        return block

    def _fill(self, block: Any, index: int, region: Region) -> None:
        """Give the block the text that was read in its region, and say how it was read."""
        recognition = self._recognitions.get(index)
        if recognition is None or recognition.failure is not None or recognition.finish_reason == "error":
            reason = recognition.failure if recognition is not None else None
            self._warn("region_failed", index, region, reason or "it was not recognised")
            note_recognition(block, recognition)
            return
        if recognition.finish_reason in _INCOMPLETE:
            code, reason = _INCOMPLETE[recognition.finish_reason]
            self._warn(code, index, region, reason)
        text = cut_repetition(recognition.text, region.label)
        note_recognition(block, recognition, was_cut=text != recognition.text)
        block.content = self._content(write_formulas(text, region.label), index, region)

    def _content(self, text: str, index: int, region: Region) -> str:
        if region.label == "table":
            text, problem = table_to_html(text)
            if problem is not None:
                self._warn(
                    "table_not_converted", index, region, f"the table {problem}; its text is left as read"
                )
        if region.label == "spotting":
            text, self._spotting = read_spotting(text, region.width, region.height)
        return text

    def _warn(self, code: str, index: int, region: Region, reason: str) -> None:
        warning: dict[str, Any] = {"code": code, "message": f"Region {index} ({region.label}): {reason}"}
        if region.image_key not in self._regions.swallowed_keys:
            warning["blockId"] = len(self._blocks)  # the block is about to be added
        warning["blockBbox"] = [int(side) for side in region.box]
        self._warnings.append(warning)

    def _form(self) -> Any:
        regions, options = self._regions, self._options
        return paddlex_forms.PageForm(
            {
                "input_path": None,
                "page_index": None,
                "page_count": None,
                "width": regions.width,
                "height": regions.height,
                "model_settings": model_settings(options),
                "layout_det_res": {"boxes": regions.boxes or []},
                "parsing_res_list": self._blocks,
                "spotting_res": self._spotting,
                "imgs_in_doc": [{"path": key, "img": None} for key in regions.gathered_keys],
                **self._preprocessing_form(),
            }
        )

    def _preprocessing_form(self) -> dict[str, Any]:
        """What was done to the page, in PaddleX's form; a page that failed before says what was asked."""
        asked, origin = self._options.preprocessing, self._regions.origin
        if asked is None:
            return {}
        settings = {"use_doc_orientation_classify": asked.orientation, "use_doc_unwarping": asked.unwarping}
        angle = NOT_CLASSIFIED if origin is None else origin.angle
        return {
            "doc_preprocessor_res": {
                "input_path": None,
                "page_index": None,
                "model_settings": settings,
                "angle": angle,
            }
        }


def model_settings(options: ParseOptions) -> dict[str, Any]:
    """The settings under which a page was parsed, as `prunedResult` shows them."""
    return {
        "use_doc_preprocessor": options.preprocessing is not None,
        "use_layout_detection": options.use_layout_detection,
        "use_chart_recognition": options.use_chart_recognition,
        "use_seal_recognition": options.use_seal_recognition,
        "use_ocr_for_image_block": options.use_ocr_for_image_block,
        "format_block_content": options.format_block_content,
        "merge_layout_blocks": options.merge_layout_blocks,
        "markdown_ignore_labels": list(options.markdown_ignore_labels),
        "return_layout_polygon_points": options.layout.shape_mode != "rect",
    }
