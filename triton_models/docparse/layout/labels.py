"""The classes of PP-DocLayoutV2, which every layout engine answers with."""

from typing import Final

# In the order of the network's output: a label's place is its class id.
LABELS: Final[tuple[str, ...]] = (
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
LABEL_IDS: Final[dict[str, int]] = {label: number for number, label in enumerate(LABELS)}

# What is not part of the running text carries no reading order (`order` is None), as in PaddleX.
UNORDERED_LABELS: Final[frozenset[str]] = frozenset(
    {
        "figure_title",
        "vision_footnote",
        "image",
        "chart",
        "table",
        "header",
        "header_image",
        "footer",
        "footer_image",
        "footnote",
        "aside_text",
    }
)
