"""The classes of PP-DocLayoutV2, by id. The keys of per-class options are checked against them."""

LABELS = (
    "abstract",
    "algorithm",
    "aside_text",
    "chart",
    "content",
    "display_formula",
    "doc_title",
    "figure_title",
    "footer",
    "footer_image",
    "footnote",
    "formula_number",
    "header",
    "header_image",
    "image",
    "inline_formula",
    "number",
    "paragraph_title",
    "reference",
    "reference_content",
    "seal",
    "table",
    "text",
    "vertical_text",
    "vision_footnote",
)


def label_of(key: str) -> str:
    """Label for a class id ("22") or a label name ("text").

    Raises:
        ValueError: no such class.
    """
    if key in LABELS:
        return key
    if key.isascii() and key.isdigit() and int(key) < len(LABELS):
        return LABELS[int(key)]
    raise ValueError(
        f"has no class {key!r}; use an id from 0 to {len(LABELS) - 1} or one of: {', '.join(LABELS)}"
    )
